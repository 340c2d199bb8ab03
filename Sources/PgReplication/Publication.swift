import PgConnection

/// A publication of tables, for our own slot.
public enum Publication {
    /// One of the tables.
    public struct Table: Hashable, Sendable {
        public let name: QualifiedName
        /// The columns to be sent; nil: all. PostgreSQL 15+. They have to contain the replica identity.
        public let columns: [String]?

        public init(_ name: QualifiedName, columns: [String]? = nil) {
            self.name = name
            self.columns = columns
        }
    }

    /// - Parameter viaRoot: send the changes of partitions under the name of the published partitioned table.
    public static func createSQL(name: String, tables: [Table], viaRoot: Bool = false) -> String {
        var options = "publish = 'insert, update, delete, truncate'"
        if viaRoot { options += ", publish_via_partition_root = true" }
        return
            "CREATE PUBLICATION \(Quoting.identifier(name)) FOR TABLE \(list(tables)) WITH (\(options))"
    }

    /// Puts these tables in the place of those that the publication has. For what it locks see `create`.
    public static func setTablesSQL(name: String, tables: [Table]) -> String {
        "ALTER PUBLICATION \(Quoting.identifier(name)) SET TABLE \(list(tables))"
    }

    private static func list(_ tables: [Table]) -> String {
        tables.map { table in
            "ONLY " + table.name.sql + (table.columns.map { " (" + Quoting.identifiers($0) + ")" } ?? "")
        }.joined(separator: ", ")
    }

    public static func dropSQL(name: String) -> String {
        "DROP PUBLICATION IF EXISTS \(Quoting.identifier(name))"
    }

    /// Creates the publication.
    ///
    /// Takes SHARE UPDATE EXCLUSIVE on each table until the transaction ends (OpenTableList in
    /// src/backend/commands/publicationcmds.c): it waits for, and holds up, VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY and
    /// ALTER TABLE, but neither reads nor writes. From its commit on, UPDATE and DELETE on a table without a usable replica
    /// identity fail: look before.
    ///
    /// - Throws: `unexpectedResult` without tables, or for columns before PostgreSQL 15; nothing was sent then.
    public static func create(
        name: String, tables: [Table], viaRoot: Bool = false, on connection: PgConnection
    ) async throws {
        let sql = createSQL(name: name, tables: tables, viaRoot: viaRoot)
        guard !tables.isEmpty else {
            throw PgError(
                code: .unexpectedResult,
                message: "publication \(name) would have no table; it was not created. Name at least one.")
        }
        if connection.serverVersion.major < 15, let table = tables.first(where: { $0.columns != nil }) {
            throw PgError(
                code: .unexpectedResult,
                message: "publication \(name) was not created: PostgreSQL \(connection.serverVersion) cannot publish "
                    + "only some columns of \(table.name). Publish all of them.", statement: sql)
        }
        try await connection.execute(sql)
    }

    /// Creates the publication of one table.
    public static func create(
        name: String, table: QualifiedName, columns: [String]?, on connection: PgConnection
    ) async throws {
        try await create(name: name, tables: [Table(table, columns: columns)], on: connection)
    }

    /// Drops the publication if it exists.
    ///
    /// Locks the publication (ACCESS EXCLUSIVE, on the object) and no table: it waits for nobody's reads or writes.
    public static func drop(name: String, on connection: PgConnection) async throws {
        try await connection.execute(dropSQL(name: name))
    }
}
