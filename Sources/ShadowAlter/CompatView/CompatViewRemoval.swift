import PgConnection

/// Takes away the views of a migration that ends before its exchange. May be repeated.
struct CompatViewRemoval: Sendable {
    let record: MigrationRecord
    let connection: PgConnection

    /// Who uses a view waits behind a request for its lock.
    private static let lockTimeout = "500ms"
    /// A transaction that has used a view for less than this is expected to end within the request's time.
    private static let shortTransaction = Duration.milliseconds(500)
    /// How long somebody may be in the way.
    private static let patience = Duration.seconds(30)
    private static let lookInterval = Duration.milliseconds(200)

    /// Throws `conflict` when something is built on the views, or somebody uses them for too long; they are all there then.
    func run() async throws {
        let shapes = record.plan.leavingShapes
        guard !shapes.isEmpty else { return }
        let start = ContinuousClock.now
        while true {
            try Task.checkCancellation()
            let views = try await connection.run { try CompatViews.present(shapes, on: $0) }
            if let use = try await connection.run({ try CompatViewsInUse.find(views, on: $0) }) {
                throw conflict("\(use), and the views are to be dropped", advice: "drop or move it")
            }
            let finder = BlockerFinder(
                relations: views.map(\.oid), migrationID: nil, patience: Self.shortTransaction)
            let blocker = try await connection.run { try finder.find(on: $0) }.first
            if blocker == nil, try await drop(shapes) { return }
            guard ContinuousClock.now - start < Self.patience else {
                throw conflict(
                    "the views of --compat-view cannot be dropped: "
                        + (blocker.map { "\($0)" } ?? "somebody uses them all the time"),
                    advice: "end that transaction, or wait for its end")
            }
            try await Task.sleep(for: Self.lookInterval)
        }
    }

    /// All of them, or none. Returns whether they are gone.
    private func drop(_ shapes: [CompatShape]) async throws -> Bool {
        do {
            try await connection.transaction { connection in
                try connection.execute("SET LOCAL lock_timeout = '\(Self.lockTimeout)'")
                for statement in CompatSQL.drop(shapes) { try connection.execute(statement) }
            }
            return true
        } catch let error as PgError where error.sqlState == .lockNotAvailable || error.sqlState == .deadlockDetected {
            return false
        } catch let error as PgError where error.sqlState?.classCode == "2B" {
            // It has come since we looked.
            return false
        }
    }

    private func conflict(_ message: String, advice: String) -> MigrationError {
        MigrationError(
            .conflict, message,
            state: "no live table was touched; the replication slot is dropped, and the migration can no longer go on",
            advice: "\(advice), then `shadow-alter abort \(record.name)` once more")
    }
}
