import Logging
import PgConnection
import PgReplication

/// Publication first, then the slot: from its consistent point on every change of the source is in the stream.
struct CapturePhase: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let obedience: Obedience
    let settings: LiveSettings
    let log: Logger

    private static let reportInterval = Duration.seconds(2)

    func run(status: StatusBox) async throws {
        try await publish()
        try await createSlot(status)
        try Failpoint.slotCreated.pass()
        try await waitForWriters(status)
        status.update { $0.reason = nil }
        try await control.run { [record] in try StateStore.setPhase(.copying, of: record.id, on: $0) }
        try Failpoint.captured.pass()
    }

    /// CREATE PUBLICATION asks for SHARE UPDATE EXCLUSIVE: in nobody's way but VACUUM's and other DDL's, and it waits behind those.
    private func publish() async throws {
        guard record.phase < .capturing else { return }
        while true {
            do {
                try await control.transaction { [record] connection in
                    try connection.execute("SET LOCAL lock_timeout = '2s'")
                    try await Publication.create(
                        name: record.streamName,
                        tables: record.plan.tables.map(\.published), on: connection)
                    try Failpoint.publishing.pass()
                    try StateStore.setPhase(.capturing, of: record.id, on: connection)
                }
                try Failpoint.published.pass()
                return
            } catch let error as PgError where error.sqlState == .lockNotAvailable {
                log.notice(
                    "the publication waits for a lock on \(record.plan.tables.map(\.source.description).joined(separator: ", "))"
                )
                try Task.checkCancellation()
                try await obedience.look()
            }
        }
    }

    /// A slot by our name that has a position is complete. One without is being made for a run that has died, and would come into being, consistent with
    /// a later time, or not at all.
    private func createSlot(_ status: StatusBox) async throws {
        while true {
            if let slot = try await ReplicationSlot.find(name: record.streamName, on: control) {
                if slot.confirmedFlushLSN != nil || slot.isInvalid { return }
                if let creator = slot.activePID { try await control.waitForEnd(ofSession: creator) }
                try await Task.sleep(for: .milliseconds(20))
            } else {
                do {
                    return try await create(status)
                } catch let error as PgError where error.sqlState == .duplicateObject {
                    log.notice(
                        "a slot by the name \(record.streamName) was begun at this moment by a run before this one")
                }
            }
        }
    }

    private func create(_ status: StatusBox) async throws {
        let connection = try await PgConnection.connect(connections, for: .control)
        let name = record.streamName
        let pid = connection.backendPID
        try await connection.closing { connection in
            let wal = WALGuard(record: record, settings: settings, throttle: nil, log: log)
            try await reporting(status, waiting: "the slot waits for older transactions") { control in
                try wal.checkCreation(try await ReplicationSlot.find(name: name, on: control))
                return try await ReplicationSlot.olderTransactions(creator: pid, on: control).map { transaction in
                    let who = transaction.pid.map { "session \($0)" } ?? "prepared transaction"
                    let age = transaction.age.map { " for \(Int($0)) s" } ?? ""
                    return
                        "\(who) (\(transaction.user ?? "?"), \(transaction.state ?? "?"))\(age): \((transaction.query ?? "").prefix(60))"
                }
            } during: {
                _ = try await ReplicationSlot.create(name: name, on: connection)
            }
        }
    }

    /// A transaction may have committed before the slot's consistent point and yet be invisible, waiting for a synchronous standby; the
    /// stream will not have it, and a chunk would not see it. Whoever wrote to the source holds a lock on it until visible.
    private func waitForWriters(_ status: StatusBox) async throws {
        let writers = try await control.run { [record] in try Self.writers(of: record, among: nil, on: $0) }
        guard !writers.isEmpty else { return }
        try await reporting(status, waiting: "the copy waits for transactions that wrote before the capture began") {
            [record] control in
            try await control.run { try Self.writers(of: record, among: writers, on: $0) }
        } during: {
            while true {
                let left = try await control.run { [record] in try Self.writers(of: record, among: writers, on: $0) }
                if left.isEmpty { return }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// The virtual transaction ids of those who hold a writer's lock on a source.
    private static func writers(
        of record: MigrationRecord, among known: [String]?, on connection: isolated PgConnection
    ) throws -> [String] {
        try connection.query(
            """
            SELECT DISTINCT virtualtransaction FROM pg_locks
            WHERE locktype = 'relation' AND granted AND relation = ANY ($1::oid[])
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
              AND pid IS DISTINCT FROM pg_backend_pid() AND ($2::text[] IS NULL OR virtualtransaction = ANY ($2::text[]))
            """,
            [.array(record.tables.map { String($0.plan.sourceOID) }), known.map { .array($0) } ?? .null]
        ).rows.map { try $0.value() }
    }

    /// Runs `body`, and says every few seconds for whom it waits.
    private func reporting(
        _ status: StatusBox, waiting: String,
        _ whom: @escaping @Sendable (PgConnection) async throws -> [String],
        during body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask { [control, obedience, log] in
                while true {
                    try await Task.sleep(for: Self.reportInterval)
                    try await obedience.look()
                    let names = try await whom(control)
                    let text = "\(waiting): \(names.prefix(3).joined(separator: "; "))"
                    status.update { $0.reason = text }
                    log.notice("\(text)")
                }
            }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }
}
