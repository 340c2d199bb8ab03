import Logging
import PgConnection

/// What migrations have left behind in a database, and its removal.
public struct Orphans: Sendable {
    let connections: ConnectionOptions
    let log: Logger

    /// How long a removal waits behind a lock of somebody's before it is given up.
    private static let lockTimeout = "5s"

    public init(connections: ConnectionOptions, log: Logger) {
        self.connections = connections
        self.log = log
    }

    public struct Outcome: Sendable, Equatable {
        public var removed: [Orphan] = []
        /// With their obstacles.
        public var left: [Orphan] = []
    }

    public func find() async throws -> [Orphan] {
        try await withConnection { connection in
            try await connection.run { try OrphanFinder.find(on: $0) }
        }
    }

    /// Removes what may be removed. Nothing of another database, nothing that somebody uses, and nothing that is not ours.
    ///
    /// - Parameter migration: only what was made for this one; nil: everything.
    public func remove(of migration: String? = nil) async throws -> Outcome {
        try await withConnection { connection in
            var outcome = Outcome()
            // Looked for anew after each: one may have gone with another, or have got an obstacle.
            var done: [Orphan] = []
            while let orphan = try await next(migration, besides: done, on: connection) {
                done.append(orphan)
                guard orphan.obstacle == nil else {
                    outcome.left.append(orphan)
                    continue
                }
                do {
                    try await remove(orphan, on: connection)
                    log.notice("removed \(orphan.title)")
                    outcome.removed.append(orphan)
                } catch let error as PgError where !error.isConnectionLoss {
                    outcome.left.append(Self.kept(orphan, error.message))
                } catch let error as MigrationError {
                    outcome.left.append(Self.kept(orphan, "\(error.message); \(error.advice)"))
                }
            }
            return outcome
        }
    }

    private static func kept(_ orphan: Orphan, _ why: String) -> Orphan {
        var kept = orphan
        kept.obstacle = why
        return kept
    }

    private func next(
        _ migration: String?, besides done: [Orphan], on connection: PgConnection
    ) async throws -> Orphan? {
        try await connection.run { connection in
            try OrphanFinder.find(on: connection).first { orphan in
                (migration == nil || orphan.migration == migration)
                    && !done.contains { $0.kind == orphan.kind && $0.name == orphan.name }
            }
        }
    }

    private func remove(_ orphan: Orphan, on connection: PgConnection) async throws {
        switch orphan.kind {
        case .migration:
            try await Abort(connections: connections, log: log).run(orphan.name)
        case .slot:
            try await connection.run { connection in
                // What was seen a moment ago may not be so any more.
                try connection.query(
                    """
                    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                    WHERE slot_name = $1 AND database = current_database() AND NOT active
                    """, [.text(orphan.name)])
            }
        case .publication:
            try await limited(connection) { connection in
                try connection.execute("DROP PUBLICATION IF EXISTS \(Quoting.identifier(orphan.name))")
            }
        case .schema where orphan.name == StateSchema.name:
            try await limited(connection) { try StateSchema.dropRemains(on: $0) }
        case .schema:
            try await limited(connection) { connection in
                let found = try OrphanFinder.find(on: connection).first { $0.kind == .schema && $0.name == orphan.name }
                // An empty schema for old tables goes by itself; with the new tables goes what belongs to them.
                guard let found, found.obstacle == nil else { return }
                let isGreen = orphan.name.hasSuffix(SchemaMark.Kind.green.suffix)
                try connection.execute(
                    "DROP SCHEMA IF EXISTS \(Quoting.identifier(orphan.name))\(isGreen ? " CASCADE" : "")")
            }
        case .table:
            let name = QualifiedName(
                schema: StateSchema.name, name: String(orphan.name.dropFirst(StateSchema.name.count + 1)))
            try await limited(connection) { try $0.execute("DROP TABLE IF EXISTS \(name.sql)") }
        }
    }

    private func limited(
        _ connection: PgConnection, _ body: @Sendable (isolated PgConnection) throws -> Void
    ) async throws {
        try await connection.transaction { connection in
            try connection.execute("SET LOCAL lock_timeout = '\(Self.lockTimeout)'")
            try connection.execute(StateSchema.lock)
            try body(connection)
        }
    }

    private func withConnection<Value: Sendable>(
        _ body: (PgConnection) async throws -> Value
    ) async throws -> Value {
        try await PgConnection.connect(connections, for: .control).closing(after: body)
    }
}
