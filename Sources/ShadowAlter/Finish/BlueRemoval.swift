import Logging
import PgConnection

/// Drops the tables that an exchange has put out of the way, piece by piece, and with the last one the record of the migration. It may be ended at any
/// point and begun anew.
struct BlueRemoval: Sendable {
    /// Of the exchange that came last.
    let record: MigrationRecord
    var occasion = RemovalOccasion.finalize
    let connection: PgConnection
    /// How long somebody may be in the way of a piece; nil: for as long as it takes.
    let patience: Duration?
    /// A table that is larger, with its indexes, goes index by index.
    var pieceSize = BluePieces.size
    let log: Logger
    /// Told what is going on, for people.
    var note: @Sendable (String) -> Void = { _ in }

    /// Longer than PostgreSQL's `deadlock_timeout`, after which autovacuum gives way. Nobody but readers of old tables waits behind us.
    private static let lockTimeout = "5s"
    private static let lookInterval = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(30)

    /// Throws `conflict` when something stands on the old tables, which are untouched then, and when somebody is in the way for too long.
    func run() async throws {
        let large = try await rehearse()
        try Failpoint.removalRehearsed.pass()
        try await removeCompatViews()
        while let piece = try await connection.run({ [record, occasion] in
            try BluePieces.next(record, of: occasion, large: large, on: $0)
        }) {
            note("dropping \(piece.title)")
            let start = ContinuousClock.now
            try await politely(piece.relations) { [record, occasion] in
                try await connection.transaction { connection in
                    try Self.limit(on: connection)
                    try connection.execute(piece.statement)
                    try occasion.note("\(piece.title) was dropped last", record, on: connection)
                    try Failpoint.pieceDropping.pass()
                }
            }
            try Failpoint.pieceDropped.pass()
            log.info("dropped \(piece.title)")
            // Whoever has the files to unlink as well, a standby that replays this, and the disk, come to themselves.
            try await Task.sleep(for: min(ContinuousClock.now - start, Self.longestPause))
        }
        try await politely([]) { [record, occasion] in
            try await connection.transaction { connection in
                try Self.limit(on: connection)
                try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(record.plan.blueSchema))")
                try occasion.end(record, on: connection)
                try Failpoint.finalizing.pass()
            }
        }
        try Failpoint.finalized.pass()
    }

    private static func limit(on connection: isolated PgConnection) throws {
        try connection.execute("SET LOCAL lock_timeout = '\(lockTimeout)'")
    }

    /// Lets PostgreSQL drop everything at once and takes it back: it knows best what stands in the way. Not CASCADE: what somebody has built on the old
    /// tables, or put into their schema, is theirs. No file is touched by this.
    ///
    /// Returns the tables whose indexes are worth a transaction each.
    private func rehearse() async throws -> Set<UInt32> {
        let tables = try await connection.run { [record] in try BlueTable.read(record, on: $0) }
        return try await politely(tables.map(\.oid)) { [record, pieceSize] in
            try await connection.rolledBackTransaction { connection in
                try Self.limit(on: connection)
                let names = tables.map(\.name.sql).joined(separator: ", ")
                if !tables.isEmpty { try connection.execute("LOCK TABLE \(names) IN ACCESS EXCLUSIVE MODE") }
                // As they are now that nobody can change it.
                let locked = try BlueTable.read(record, on: connection)
                // PostgreSQL drops partitions with their parent, whoever's they are.
                if let stranger = locked.first(where: { $0.name.schema != record.plan.blueSchema }) {
                    throw Stranger(name: stranger.name)
                }
                let large = try locked.filter { !$0.isPartitioned && !$0.isPartition }.filter { table in
                    try connection.query(
                        "SELECT pg_total_relation_size($1::oid) > $2", [.int(table.oid), .int(pieceSize)]
                    )
                    .single().value()
                }
                if !tables.isEmpty { try connection.execute("DROP TABLE \(names)") }
                try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(record.plan.blueSchema))")
                return Set(large.map(\.oid))
            }
        }
    }

    /// In one piece: all views go, or none.
    private func removeCompatViews() async throws {
        // What went with the exchange is gone, also after one back.
        let shapes = record.plan.compatShapes.filter { !$0.goesWithExchange }
        guard !shapes.isEmpty else { return }
        try await politely([]) { [record, occasion] in
            try await connection.transaction { connection in
                // Whoever reads a view meanwhile waits behind us.
                try connection.execute("SET LOCAL lock_timeout = '500ms'")
                for statement in CompatSQL.drop(shapes) { try connection.execute(statement) }
                try occasion.note("the views of --compat-view were dropped last", record, on: connection)
            }
        }
        try Failpoint.compatViewsRemoved.pass()
    }

    /// A table outside of the blue schema is a partition of an old one.
    private struct Stranger: Error {
        let name: QualifiedName
    }

    /// Looks who has the tables locked before it asks for their locks, and says who it is. Nobody else should use them.
    private func politely<Value: Sendable>(
        _ relations: [UInt32], _ body: () async throws -> Value
    ) async throws -> Value {
        let start = ContinuousClock.now
        var told: [Blocker.Identity] = []
        while true {
            try Task.checkCancellation()
            let blockers = try await readers(of: relations)
            if blockers.isEmpty {
                do {
                    return try await body()
                } catch let error as PgError
                    where error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected
                {
                    log.notice("\(occasion) waits for a lock of somebody else's")
                } catch {
                    throw try await explained(error)
                }
            }
            if let first = blockers.first { note("waiting: \(first)") }
            if blockers.map(\.identity) != told {
                for blocker in blockers { log.notice("\(occasion) waits: \(blocker)") }
                told = blockers.map(\.identity)
            }
            if let patience, ContinuousClock.now - start >= patience {
                throw try await conflict(
                    "\(occasion.tables(record)) cannot be dropped: "
                        + (blockers.first.map { "\($0)" } ?? "somebody whom our role may not see holds a lock"),
                    "end that transaction, or wait for its end")
            }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    /// Autovacuum gives way to us, unless it works against wraparound.
    private func readers(of relations: [UInt32]) async throws -> [Blocker] {
        guard !relations.isEmpty else { return [] }
        let finder = BlockerFinder(relations: relations, migrationID: nil, patience: .zero)
        return try await connection.run { try finder.find(on: $0) }
            .filter { $0.application != "autovacuum worker" || $0.protection != nil }
    }

    private func explained(_ error: any Error) async throws -> any Error {
        switch error {
        case let error as Stranger:
            return try await conflict(
                "the table \(error.name) is a partition of \(occasion.table), and would go with it", "detach it")
        case let error as PgError where error.sqlState?.classCode == "2B":
            return try await conflict(
                "\(occasion.tables(record)) cannot be dropped: \(error.message)\(error.detail.map { " (\($0))" } ?? "")",
                "drop or move what depends on it")
        default:
            return error
        }
    }

    private func conflict(_ message: String, _ wayOut: String) async throws -> MigrationError {
        let hasBegun = try await connection.run { [record, occasion] in try occasion.hasBegun(record, on: $0) }
        return MigrationError(
            .conflict, message, state: occasion.state(record, hasBegun: hasBegun),
            advice: "\(wayOut), then \(occasion.repetition(record))")
    }
}
