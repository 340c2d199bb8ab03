import Logging
import PgConnection
import PgReplication

/// The beginning of a run: finds the migration that the same command has begun before, or plans a new one.
struct Opening: Sendable {
    enum Opened: Sendable {
        case native(MigrationPlan)
        case shadow(MigrationRecord)
    }

    let request: MigrationRequest
    /// Whether the old tables are to follow after the exchange.
    let bakes: Bool
    /// Whether there is something to do also when a migration is complete: to drop the old tables.
    let finalizes: Bool
    let events: EventPost
    let log: Logger

    func open(on control: PgConnection) async throws -> Opened {
        if let existing = try await existing(on: control), try await !isLost(existing, on: control) {
            log.notice("continuing migration \(existing.name), which is in the phase \(existing.phase.rawValue)")
            try await events.resumed(existing, on: control)
            events.post(.startup)
            return .shadow(existing)
        }
        events.post(.startup)
        let opened: Opened = try await control.transaction { [request, bakes, log] connection in
            let plan = try Planning.plan(request, on: connection)
            try Self.checkWayBack(plan, bakes)
            for advice in plan.subscribers { log.notice("subscribers: \(advice)") }
            guard plan.strategy == .shadow else { return .native(plan) }
            try Failpoint.cloned.pass()
            try connection.execute(StateSchema.lock)
            try connection.execute(StateSchema.create)
            let streamName = StreamName.random()
            try StateStore.insert(plan, streamName: streamName, on: connection)
            try SchemaMark.set(plan, streamName: streamName, on: connection)
            guard let record = try StateStore.find(plan.name, on: connection) else {
                throw MigrationError(
                    .inconsistent, "the migration that was just recorded cannot be read back",
                    state: "nothing was kept",
                    advice: "look at row-level security or rules on the tables of the schema shadow_alter")
            }
            try Self.lock(record, on: connection)
            return .shadow(record)
        }
        if case .shadow(let record) = opened {
            try Failpoint.recorded.pass()
            try await events.recorded(record, on: control)
            events.post(.validated)
        }
        return opened
    }

    /// Without its slot, nobody knows what was written since, and nothing that was copied can be trusted: then it starts over, and what it has made goes.
    private func isLost(_ record: MigrationRecord, on control: PgConnection) async throws -> Bool {
        guard record.phase >= .copying, record.phase < .done, !record.phase.isAfterSwap else { return false }
        let slot = try await ReplicationSlot.find(name: record.streamName, on: control)
        guard slot?.isInvalid ?? true else { return false }
        let why =
            slot.map { "was invalidated by the server (\($0.invalidationReason ?? $0.walStatus ?? "lost"))" }
            ?? "is gone"
        log.warning(
            "migration \(record.name) starts over: its replication slot \(record.streamName) \(why), and what was written since then is unknown; what it has copied is dropped, no live table was touched"
        )
        try await Leftovers.removeAll(record, on: control)
        return true
    }

    private func existing(on control: PgConnection) async throws -> MigrationRecord? {
        guard let found = try await find(on: control) else { return nil }
        try await Self.lock(found, on: control)
        try await Predecessors(record: found, log: log).end(on: control)
        // What the last of them has done may have changed the phase.
        return try await find(on: control)
    }

    private func find(on control: PgConnection) async throws -> MigrationRecord? {
        try await control.run { [request, bakes, finalizes] connection in
            guard let name = try Planner.name(of: request, on: connection),
                let record = try StateStore.find(name, on: connection)
            else { return nil }
            guard record.plan.request.change == request.change else {
                throw MigrationError(
                    .conflict,
                    "there is a migration named \(name) already, and its change is another one: \(record.plan.request.change)",
                    state: "nothing was changed; that migration is in the phase \(record.phase.rawValue)",
                    advice: "give this one another --name, or end that one by `shadow-alter abort \(name)`")
            }
            guard record.plan.request.reverse == request.reverse else {
                let given = record.plan.request.reverse.map { "--reverse '\($0.text)'" }.joined(separator: " ")
                throw MigrationError(
                    .conflict,
                    "there is a migration named \(name) already, and its way back is another one: \(given.isEmpty ? "no --reverse" : given)",
                    state: "nothing was changed; that migration is in the phase \(record.phase.rawValue)",
                    advice: "give the same --reverse, or end that one by `shadow-alter abort \(name)`")
            }
            guard record.plan.request.compatViews == request.compatViews else {
                let given = record.plan.request.compatViews.map { "--compat-view \($0.rawValue)" }
                throw MigrationError(
                    .conflict,
                    "there is a migration named \(name) already, and it was begun with \(given.isEmpty ? "no --compat-view" : given.joined(separator: " "))",
                    state: "nothing was changed; that migration is in the phase \(record.phase.rawValue)",
                    advice: "give the same --compat-view, or end that one by `shadow-alter abort \(name)`")
            }
            // A run that died right after the swap has left its slot: this one finishes that.
            let isFinished =
                try !finalizes && record.phase == .done && record.isSettled && !Leftovers.exist(record, on: connection)
            guard !isFinished else {
                throw MigrationError(
                    .conflict, "migration \(name) is complete already",
                    state:
                        "the new definition is live, \(record.plan.oldTablesAre) in the schema \(record.plan.blueSchema)",
                    advice:
                        "`shadow-alter finalize \(name)` removes \(record.plan.oldTables); then the name is free again")
            }
            if !record.phase.isAfterSwap { try Self.checkWayBack(record.plan, bakes) }
            return record
        }
    }

    private static func checkWayBack(_ plan: MigrationPlan, _ bakes: Bool) throws {
        guard bakes else { return }
        let refusals = WayBack.refusals(plan)
        guard refusals.isEmpty else { throw Refused(refusals) }
    }

    /// How long a session may have the tables that is perhaps that of a run which has died a moment ago.
    private static let patience = Duration.seconds(3)

    private static func lock(_ record: MigrationRecord, on control: PgConnection) async throws {
        let start = ContinuousClock.now
        while true {
            do {
                return try await control.run { try lock(record, on: $0) }
            } catch let error as MigrationError where error.code == .alreadyRunning {
                guard ContinuousClock.now - start < patience else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private static func lock(_ record: MigrationRecord, on connection: isolated PgConnection) throws {
        for table in record.tables {
            guard let owner = try TableLock.acquire(table.plan.sourceOID, on: connection) else { continue }
            throw MigrationError(
                .alreadyRunning, "another shadow-alter is at work on \(table.plan.source) (session \(owner))",
                state: "nothing was changed by this one",
                advice:
                    "`shadow-alter status \(record.name)` shows how far it is; if no run is alive any more, its session ends by itself within minutes, or by `SELECT pg_terminate_backend(\(owner))`"
            )
        }
    }
}

extension MigrationRequest.Change: CustomStringConvertible {
    /// The clauses or the script without what stands in string constants, which may be secret: for logs, and for other programs.
    public var withoutLiterals: String {
        switch self {
        case .alter(_, let clauses): SQLRedaction.text(clauses)
        case .script(let text): SQLRedaction.text(text)
        }
    }

    /// Without what stands in string constants.
    public var description: String {
        switch self {
        case .alter(let table, _): "--table \(table) --alter '\(withoutLiterals)'"
        case .script: "--script with \(withoutLiterals.prefix(200))"
        }
    }
}
