/// How the protocol writes schemas (`logicalrep_write_namespace` in src/backend/replication/logical/proto.c).
enum Namespace {
    /// The name of the schema: `pg_catalog` is sent as an empty string.
    static func expand(_ sent: String) -> String {
        sent.isEmpty ? "pg_catalog" : sent
    }
}
