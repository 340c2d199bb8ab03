import Logging
import PgConnection

/// The point of no return: drops the old tables and the record of the migration.
public struct Finalize: Sendable {
    let connections: ConnectionOptions
    let log: Logger
    /// How long somebody who reads an old table is waited for.
    let patience: Duration
    let acceptsMismatches: Bool
    /// A table that is larger, with its indexes, goes index by index.
    var pieceSize = BluePieces.size

    private static let lookInterval = Duration.milliseconds(500)

    /// - Parameters:
    ///   - patience: how long somebody who reads an old table is waited for.
    ///   - acceptsMismatches: also when the last verification has failed.
    public init(
        connections: ConnectionOptions,
        log: Logger = Logger(label: "shadow-alter", factory: { _ in SwiftLogNoOpLogHandler() }),
        patience: Duration = .seconds(60), acceptsMismatches: Bool = false
    ) {
        self.connections = connections
        self.log = log
        self.patience = patience
        self.acceptsMismatches = acceptsMismatches
    }

    /// Returns the old tables, which are no more. Throws `conflict` before the swap, and when somebody or something stands in the way; the same call
    /// goes on with what is left. A run that is alive, and keeps the old tables for a while, is asked to drop them.
    @discardableResult
    public func run(_ name: String) async throws -> [QualifiedName] {
        let connection = try await PgConnection.connect(connections, for: .control)
        do {
            let old = try await run(name, on: connection)
            await Self.leave(connection)
            return old
        } catch {
            await Self.leave(connection)
            throw error
        }
    }

    /// The session's process goes on for a moment after its connection is closed.
    private static func leave(_ connection: PgConnection) async {
        _ = try? await connection.execute("SELECT pg_advisory_unlock_all()")
        await connection.close()
    }

    private func run(_ name: String, on connection: PgConnection) async throws -> [QualifiedName] {
        guard let first = try await connection.run({ try StateStore.look(name, on: $0) }) else {
            throw MigrationError.notFound(name)
        }
        let old = first.plan.exchanges.map { QualifiedName(schema: first.plan.blueSchema, name: $0.source.name) }
        guard let record = try await take(first, on: connection) else { return old }
        // A run that died right after the swap has left these behind.
        try await Leftovers.removeAfterSwap(record, on: connection)
        try await BlueRemoval(
            record: record, connection: connection, patience: patience, pieceSize: pieceSize, log: log
        ).run()
        return old
    }

    /// Waits until nobody else is at work on the migration. Returns nil when its old tables are gone by then.
    private func take(_ first: MigrationRecord, on connection: PgConnection) async throws -> MigrationRecord? {
        try await StateStore.whileThere { try await wait(first, on: connection) }
    }

    private func wait(_ first: MigrationRecord, on connection: PgConnection) async throws -> MigrationRecord? {
        var told = false
        var wait = ContinuousClock.now
        while true {
            let owner = try await connection.run { try Self.acquire(first, on: $0) }
            if owner == nil { try await Predecessors(record: first, log: log).end(on: connection) }
            let found = try await connection.run { try StateStore.look(first.name, on: $0) }
            guard let record = found, record.id == first.id else { return nil }
            try await connection.run { [acceptsMismatches] in
                try FinalizeGuard.check(record, acceptsMismatches: acceptsMismatches, on: $0)
            }
            guard let owner else { return record }
            // Again each time: a run listens only once its other work is done.
            try await connection.transaction { _ = try StateStore.steer(.finalize, record.id, on: $0) }
            if !told { log.notice("a run of \(record.name) is alive (session \(owner)): asking it to drop them") }
            told = true
            let finder = BlockerFinder(
                relations: record.plan.exchanges.map(\.sourceOID), migrationID: nil, patience: .zero)
            if let blocker = try await connection.run({ try finder.find(on: $0) }).first {
                guard ContinuousClock.now - wait < patience else {
                    throw MigrationError(
                        .conflict, "\(record.plan.oldTables) cannot be dropped: \(blocker)",
                        state: "the run that is alive (session \(owner)) goes on waiting for it",
                        advice: "end that transaction, or wait for its end")
                }
            } else {
                wait = .now
            }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    /// The session that is at work on it; nil: it is ours now.
    private static func acquire(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> Int32? {
        for table in record.tables {
            if let owner = try TableLock.acquire(table.plan.sourceOID, on: connection) { return owner }
        }
        return nil
    }
}
