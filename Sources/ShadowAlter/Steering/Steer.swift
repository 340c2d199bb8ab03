import PgConnection

/// Steers a migration from another process, through the state tables: a run that is alive obeys within a second or two, otherwise the next one.
public struct Steer: Sendable {
    /// A run that is alive.
    public struct Run: Sendable, Equatable {
        /// Its session's process on the server; 0 when that cannot be seen.
        public let session: Int32
        /// The path of its control socket, on the machine that it runs on.
        public let socket: String?
    }

    let connections: ConnectionOptions

    public init(connections: ConnectionOptions) {
        self.connections = connections
    }

    /// The run that is at work on the migration; nil when there is none. Throws `notFound` when there is no such migration.
    public func findRun(of name: String) async throws -> Run? {
        try await withConnection { connection in
            guard let record = try StateStore.find(name, on: connection) else { throw MigrationError.notFound(name) }
            return try Self.run(of: record, on: connection)
        }
    }

    /// Records what is asked for.
    ///
    /// - Returns: the run that will obey; nil when there is none, and the next one will.
    /// - Throws: `notFound`, `conflict` after the exchange, `SettingError`.
    @discardableResult
    public func run(_ command: SteeringCommand, _ name: String) async throws -> Run? {
        if case .set(let setting, let value) = command {
            var trial = MigrationOptions()
            try trial.set(setting, to: value)
        }
        let steered: Steered? = try await StateStore.whileThere {
            try await withConnection { connection in
                guard let record = try StateStore.find(name, on: connection) else { return nil }
                if let refusal = try command.refusal(record, on: connection) { throw refusal }
                _ = try StateStore.steer(command, record.id, on: connection)
                return Steered(run: try Self.run(of: record, on: connection))
            }
        }
        guard let steered else { throw MigrationError.notFound(name) }
        return steered.run
    }

    private struct Steered: Sendable {
        let run: Run?
    }

    static func run(of record: MigrationRecord, on connection: isolated PgConnection) throws -> Run? {
        guard let session = try TableLock.owner(of: record.tables, on: connection) else { return nil }
        let socket: String? = try connection.query(
            "SELECT socket FROM shadow_alter.migration WHERE id = $1", [.int(record.id)]
        ).single().optional("socket")
        return Run(session: session, socket: socket)
    }

    private func withConnection<Value: Sendable>(
        _ body: @Sendable (isolated PgConnection) throws -> Value
    ) async throws -> Value {
        try await PgConnection.connect(connections, for: .control).closing { connection in
            try await connection.transaction { try body($0) }
        }
    }
}
