import PgConnection

/// Lets a migration that holds its shadow ready (`--cut-over manual`) go on.
public struct RequestCutOver: Sendable {
    let connections: ConnectionOptions

    public init(connections: ConnectionOptions) {
        self.connections = connections
    }

    /// The run obeys within a second; one that is not alive obeys when it is started again.
    public func run(_ name: String) async throws {
        let connection = try await PgConnection.connect(connections, for: .control)
        let record = try await connection.run { connection in
            let record = try StateStore.find(name, on: connection)
            if let record, !record.phase.isAfterSwap {
                try StateStore.request("cut-over", of: record.id, on: connection)
            }
            return record
        }
        await connection.close()
        guard let record else { throw MigrationError.notFound(name) }
        guard !record.phase.isAfterSwap else {
            throw MigrationError(
                .conflict, "migration \(name) has already exchanged the tables", state: "the new definition is live",
                advice: "`shadow-alter finalize \(name)` removes \(record.plan.oldTables)")
        }
    }
}
