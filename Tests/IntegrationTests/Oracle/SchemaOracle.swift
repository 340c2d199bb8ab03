import PgConnection
import ThrowawayServer

/// Describes a whole database: by pg_dump, by every column of every row of the catalogs that belongs to a user's object, by what
/// hangs on what, and by its rows.
struct SchemaOracle: Sendable {
    let database: TestDatabase
    /// Whether rows, and the positions of sequences, are a part of the description: not where a load goes on.
    var includesRows = true

    func describe() async throws -> SchemaDescription {
        var description = DumpFacts.parse(try await database.server.dump(database: database.name))
        let connection = try await PgConnection.connect(database.options)
        let includesRows = includesRows
        do {
            // One snapshot, and nothing is left: not even a temporary schema.
            description.merge(
                try await connection.transaction { connection in
                    try connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    var found = try Self.catalogs(on: connection)
                    if includesRows { found.merge(try RowFacts.read(on: connection)) }
                    return found
                })
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return description
    }

    /// What the catalogs say, as this transaction sees them.
    static func catalogs(on connection: isolated PgConnection) throws -> SchemaDescription {
        try connection.execute("SET LOCAL search_path = ''")
        var found = try CatalogFacts(on: connection).read(on: connection)
        found.merge(try DependencyFacts.read(on: connection))
        return found
    }
}
