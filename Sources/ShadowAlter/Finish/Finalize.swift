import PgConnection

/// The point of no return: drops the old table and the record of the migration.
public struct Finalize: Sendable {
    let connections: ConnectionOptions

    public init(connections: ConnectionOptions) {
        self.connections = connections
    }

    /// Returns the old tables, which are no more. Throws `conflict` before the swap, and when somebody's object stands on one of them.
    @discardableResult
    public func run(_ name: String) async throws -> [QualifiedName] {
        let connection = try await PgConnection.connect(connections, for: .control)
        let record = try await connection.run { try StateStore.find(name, on: $0) }
        guard let record else { throw MigrationError.notFound(name) }
        guard record.phase.isAfterSwap else {
            throw MigrationError(
                .conflict,
                "migration \(name) has not exchanged the tables yet, it is in the phase \(record.phase.rawValue)",
                state: "nothing was changed", advice: "run it to its end, or `shadow-alter abort \(name)`")
        }
        guard record.isSettled else {
            throw MigrationError(
                .conflict,
                "migration \(name) has work to do after its cut-over that is not finished: foreign keys to be validated",
                state:
                    "the new definition is live and in use; \(record.plan.oldTablesAre) untouched in the schema \(record.plan.blueSchema)",
                advice:
                    "give the command that started the migration once more, it finishes that; then `shadow-alter finalize \(name)`"
            )
        }
        // A run that died right after the swap has left these behind.
        try await Leftovers.removeAfterSwap(record, on: connection)
        let old = record.plan.exchanges.map {
            QualifiedName(schema: record.plan.blueSchema, name: $0.source.name)
        }
        do {
            try await connection.transaction { connection in
                try connection.execute("SET LOCAL lock_timeout = '5s'")
                // All at once, since they may hang on each other. Not CASCADE: what somebody has built on the old tables is theirs.
                try connection.execute("DROP TABLE IF EXISTS \(old.map(\.sql).joined(separator: ", "))")
                try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(record.plan.blueSchema))")
                try Leftovers.removeState(record, on: connection)
            }
        } catch let error as PgError where error.sqlState?.classCode == "2B" {
            throw MigrationError(
                .conflict,
                "\(record.plan.oldTables) cannot be dropped: \(error.message)\(error.detail.map { " (\($0))" } ?? "")",
                state:
                    "the new definition is live; \(record.plan.oldTablesAre) untouched in the schema \(record.plan.blueSchema)",
                advice: "drop or move what depends on it, then `shadow-alter finalize \(name)` again")
        }
        await connection.close()
        return old
    }
}
