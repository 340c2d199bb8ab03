import PgConnection
import ShadowAlter
import Synchronization
import Testing

/// A migration that runs beside the test.
final class RunningMigration: Sendable {
    let migration: Migration
    let log: CapturedLog
    private let task: Task<MigrationSummary, any Error>
    private let hasEnded: EndFlag
    private let mayDiffer = EndFlag()
    /// Less than a test's time limit, which says nothing about the run.
    private static let limit = Duration.seconds(240)

    convenience init(_ request: MigrationRequest, _ database: TestDatabase, _ options: MigrationOptions = .quick) {
        self.init(request, connections: database.options, options: options)
    }

    init(_ request: MigrationRequest, connections: ConnectionOptions, options: MigrationOptions) {
        let log = CapturedLog()
        let hasEnded = EndFlag()
        let migration = Migration(request, connections: connections, options: options, log: log.logger())
        self.log = log
        self.hasEnded = hasEnded
        self.migration = migration
        task = Task {
            defer { hasEnded.set() }
            return try await migration.run()
        }
    }

    /// The test damages the new table.
    func mayFindMismatches() { mayDiffer.set() }

    /// Throws what the run has thrown. The verification has found every row as it should be, whatever else the test is about.
    @discardableResult
    func summary() async throws -> MigrationSummary {
        do {
            try await eventually("the run has ended", within: Self.limit) { hasEnded.isSet }
        } catch {
            cancel()
            throw (error as? NeverHappened).map(described) ?? error
        }
        // A test's time limit cancels the test, and has to reach what it waits for.
        let summary = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        #expect(mayDiffer.isSet || summary.verify.mismatches == 0, "\(log.all)")
        return summary
    }

    /// The error that ends the run; nil when it succeeds. A run that goes on although it should have noticed something is ended.
    func failure() async -> (any Error)? {
        do {
            try await eventually("the run has ended", within: .seconds(120)) { hasEnded.isSet }
        } catch {
            Issue.record("\(error); phase \(migration.status.snapshot.phase), log: \(log.all.suffix(10))")
            cancel()
        }
        do {
            try await summary()
            return nil
        } catch {
            return error
        }
    }

    func cancel() { task.cancel() }

    /// Waits for the condition, unless the run ends first.
    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        do {
            try await eventually(what) {
                if try await condition() { return true }
                guard hasEnded.isSet else { return false }
                // It may have come about between the two questions.
                if try await condition() { return true }
                _ = try await task.value
                throw NeverHappened(description: "the migration ended before: \(what)")
            }
        } catch let error as NeverHappened {
            throw described(error)
        }
    }

    /// With how far the run has come.
    private func described(_ error: NeverHappened) -> NeverHappened {
        let snapshot = migration.status.snapshot
        return NeverHappened(
            description: "\(error); phase \(snapshot.phase), reason \(snapshot.reason ?? "none"), "
                + "last error \(snapshot.cutOver.lastError ?? "none"), log: \(log.all.suffix(10))")
    }

    func until(phase: Phase) async throws {
        try await until("phase \(phase)") { migration.status.snapshot.phase == phase }
    }

    /// The shadow is held ready, and at least one round of holding has begun.
    func untilReady(_ session: TestSession) async throws {
        try await until("ready") {
            guard try await session.isTrue("to_regclass('shadow_alter.migration') IS NOT NULL") else { return false }
            return try await session.isTrue("EXISTS (SELECT FROM shadow_alter.migration WHERE phase = 'ready')")
        }
    }
}

/// Whether something has ended.
final class EndFlag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

extension MigrationOptions {
    /// Small chunks, so that a small table has many of them.
    static var quick: Self {
        var options = Self()
        options.maximumChunkPages = 8
        return options
    }

    /// Copies one page after the other, in one lane.
    static var pageByPage: Self {
        var options = Self()
        options.maximumChunkPages = 1
        options.maximumStretchPages = 1
        options.copyWorkers = 1
        return options
    }

    /// So slow that the load does a lot meanwhile, also on a fast machine.
    static var unhurried: Self {
        var options = Self()
        options.maximumChunkPages = 4
        options.niceRatio = 2
        return options
    }

    func manual() -> Self {
        var options = self
        options.cutOver = .manual
        return options
    }
}

extension MigrationRequest {
    init(_ table: String, _ clauses: String, name: String? = nil, strategy: Strategy = .shadow) {
        self.init(change: .alter(table: table, clauses: clauses), name: name, strategy: strategy)
    }
}
