import Logging
import PgConnection

/// The cut-over in the other direction: what hangs on the new tables now goes back to the old ones with it.
struct Rollback: Sendable {
    let record: MigrationRecord
    let wayBack: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let stream: ChangeStream
    let refresher: Refresher
    let settings: LiveSettings
    let throttle: Throttle
    let helm: Helm
    let status: StatusBox
    let events: EventPost
    let log: Logger

    enum Outcome: Sendable, Equatable {
        case rolledBack
        /// Somebody has taken the wish back.
        case postponed
        /// Nothing was touched, for this reason.
        case refused(String)
    }

    func run() async throws -> Outcome {
        let planned: MigrationRecord
        do {
            planned = try await plan()
        } catch let refused as Refused {
            return .refused("\(refused)")
        } catch let use as CompatViewsInUse {
            return .refused("\(use): drop or move it")
        }
        try Failpoint.rollbackPlanned.pass()
        // Those of the exchange are recorded.
        status.update { $0.cutOver = MigrationStatus.CutOver() }
        do {
            // What is computed over the old tables now is computed of all that was written, also while no run was alive.
            try await stream.drain()
            try await refresher.pass()
            for table in planned.plan.analyzed {
                try await control.cancellable { try $0.execute("ANALYZE \(table.sql)") }
            }
            try Failpoint.rollbackAnalyzed.pass()
            try await Preparations(
                record: planned, control: control, connections: connections, status: status, log: log
            ).run()
            let isExchanged = try await CutOverPhase(
                record: planned, landing: .rollback(planned, of: record), control: control, connections: connections,
                stream: stream, refresher: refresher, settings: settings, throttle: throttle, helm: helm,
                status: status, events: events, log: log
            ).run()
            guard isExchanged else {
                try await takeBack(planned)
                return .postponed
            }
            log.notice("the old definition is live again")
            events.post(.rollback)
            return .rolledBack
        } catch is Landing.NotPossible {
            try await takeBack(planned)
            return .refused("a row has come in the last moment that the old table cannot have")
        } catch let error as MigrationError where error.code == .sourceChanged {
            try await takeBack(planned)
            return .refused(error.message)
        }
    }

    /// What hangs on the new tables at this time. Takes ACCESS SHARE on them; what is tried out is tried on the old ones, which are nobody else's.
    private func plan() async throws -> MigrationRecord {
        try await control.transaction { [record, wayBack] connection in
            guard let current = try StateStore.find(id: wayBack.id, on: connection) else {
                throw MigrationError(
                    .inconsistent, "the record of the way back is gone", state: "nothing was changed",
                    advice: "`shadow-alter list` shows what is left")
            }
            try connection.execute("SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL lock_timeout = '5s'")
            try connection.query("SELECT set_config('search_path', $1, true)", [.text(record.plan.searchPath)])
            // What a run has built that died before its exchange: it was computed then.
            try current.plan.dropPreparations(on: connection)
            var plan = current.plan
            plan.dependants = try connection.remembering { connection in
                try Dependants.plan(
                    MigratedTable.all(of: plan, greenOIDs: current.tables.map(\.greenOID), on: connection),
                    on: connection)
            }
            // Where the new tables go.
            try connection.execute("CREATE SCHEMA IF NOT EXISTS \(Quoting.identifier(plan.blueSchema))")
            try StateStore.setPlan(plan, of: current.id, on: connection)
            guard let planned = try StateStore.find(id: current.id, on: connection) else { return current }
            return planned
        }
    }

    /// What was made for an exchange that did not come.
    private func takeBack(_ planned: MigrationRecord) async throws {
        try await control.transaction { connection in
            try planned.plan.dropPreparations(on: connection)
            try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(planned.plan.blueSchema))")
            try StateStore.setPhase(.ready, of: planned.id, on: connection)
        }
        try Failpoint.rollbackTakenBack.pass()
    }
}
