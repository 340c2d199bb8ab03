import PgConnection

/// How much memory the WAL sender of the change stream may use for transactions that have not ended yet, in kilobytes. Beyond it writes the largest of them to
/// the primary's disk, and reads them again at their commit (ReorderBufferCheckMemoryLimit in src/backend/replication/logical/reorderbuffer.c).
struct DecodingMemory: Sendable {
    /// The session's `logical_decoding_work_mem` (PostgreSQL 13), which any role may set for itself.
    var setting: Int
    /// The server's `shared_buffers`.
    var sharedBuffers: Int

    /// More would be a strain on a server that nobody has been asked about.
    private static let most = 256 << 10

    /// A quarter of what the server was given to cache its tables, within bounds, and never less than the setting.
    var usual: Int { max(setting, min(sharedBuffers / 4, Self.most)) }

    static func read(on connection: isolated PgConnection) throws -> Self {
        let row = try connection.query(
            """
            SELECT (SELECT setting::int FROM pg_settings WHERE name = 'logical_decoding_work_mem') AS memory,
                (SELECT (setting::bigint * pg_size_bytes(unit) / 1024)::int FROM pg_settings WHERE name = 'shared_buffers') AS buffers
            """
        ).single()
        return Self(setting: try row.get("memory"), sharedBuffers: try row.get("buffers"))
    }
}
