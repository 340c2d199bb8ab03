import Logging
import PgConnection

/// Ends a migration before its swap: everything that it has made goes, the live table is as it was.
public struct Abort: Sendable {
    let connections: ConnectionOptions
    let log: Logger

    public init(connections: ConnectionOptions, log: Logger) {
        self.connections = connections
        self.log = log
    }

    /// Asks a run that is alive to end, and waits for it; otherwise cleans up by itself.
    public func run(_ name: String) async throws {
        try await PgConnection.connect(connections, for: .control).closing { try await run(name, on: $0) }
    }

    private func run(_ name: String, on connection: PgConnection) async throws {
        let record = try await connection.run { try StateStore.look(name, on: $0) }
        guard let record else { throw MigrationError.notFound(name) }
        try Self.check(record)
        let owner = try await acquire(record, on: connection)
        if let owner {
            log.notice("migration \(name) is running (session \(owner)): asking it to end")
            _ = try await StateStore.whileThere {
                try await connection.transaction { try StateStore.steer(.abort, record.id, on: $0) }
            }
            try await waitForEnd(of: record, on: connection)
        } else {
            try await remove(record, on: connection)
        }
    }

    /// Throws `conflict` when the tables are exchanged, in either direction.
    private static func check(_ record: MigrationRecord) throws {
        let name = record.name
        guard !record.phase.isAfterSwap else {
            throw MigrationError(
                .conflict, "migration \(name) has already exchanged the tables",
                state:
                    "the new definition is live, \(record.plan.oldTablesAre) in the schema \(record.plan.blueSchema)",
                advice: "`shadow-alter finalize \(name)` removes \(record.plan.oldTables)")
        }
        guard record.phase != .rolledBack else {
            throw MigrationError(
                .conflict, "migration \(name) is being rolled back: the old definition is live already",
                state: "what is left of the new tables is in the schema \(record.plan.greenSchema)",
                advice: "give the command that started the migration once more, it finishes that")
        }
    }

    /// Once nobody else is at work on it.
    private func remove(_ record: MigrationRecord, on connection: PgConnection) async throws {
        try await Predecessors(record: record, log: log).end(on: connection)
        // The last that they have done may have been the exchange.
        guard let current = try await connection.run({ try StateStore.look(record.name, on: $0) }),
            current.id == record.id
        else { return }
        try Self.check(current)
        try await Leftovers.removeAll(current, on: connection)
    }

    private func acquire(_ record: MigrationRecord, on connection: PgConnection) async throws -> Int32? {
        try await connection.run { connection in
            for table in record.tables {
                if let owner = try TableLock.acquire(table.plan.sourceOID, on: connection) { return owner }
            }
            return nil
        }
    }

    private func waitForEnd(of record: MigrationRecord, on connection: PgConnection) async throws {
        while let found = try await connection.run({ try StateStore.look(record.name, on: $0) }), found.id == record.id
        {
            if found.phase.isAfterSwap {
                throw MigrationError(
                    .conflict, "migration \(record.name) exchanged the tables before it heard of the abort",
                    state:
                        "the new definition is live, \(record.plan.oldTablesAre) in the schema \(record.plan.blueSchema)",
                    advice: "`shadow-alter finalize \(record.name)` removes \(record.plan.oldTables)")
            }
            // It may die instead of answering.
            if try await acquire(record, on: connection) == nil {
                try await remove(record, on: connection)
                return
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

extension MigrationError {
    static func notFound(_ name: String) -> Self {
        Self(
            .notFound, "there is no migration named \(name) in this database", state: "nothing was changed",
            advice: "`shadow-alter list` shows the migrations that there are")
    }
}
