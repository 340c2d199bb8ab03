import Logging
import PgConnection

/// What is left to be done once the old tables are live again: afterwards it is as if there had never been a migration.
struct RollbackEnd: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let status: StatusBox
    let log: Logger

    /// Always throws, `rolledBack` when all is done. May be repeated after an interruption.
    func run() async throws {
        try await Leftovers.removeStream(record, on: control)
        if let wayBack = try await control.run({ [record] in try StateStore.wayBack(of: record.id, on: $0) }) {
            if !wayBack.isSettled {
                try await SettlePhase(
                    record: wayBack, control: control, connections: connections, status: status, log: log
                ).run()
            }
            // In pieces, as by `finalize`: they are as large as the live ones.
            try await BlueRemoval(
                record: wayBack, occasion: .rollback, connection: control, patience: nil, log: log,
                note: { [status] text in status.update { $0.reason = text } }
            ).run()
        }
        status.update { $0.phase = .rolledBack }
        throw MigrationError(
            .rolledBack, "migration \(record.name) was rolled back, by `rollback`",
            state: "the old definition is live, with everything that was written meanwhile; nothing else is left",
            advice: "")
    }
}
