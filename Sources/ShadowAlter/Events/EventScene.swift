import PgConnection

/// What a run knew when an event came about.
public struct EventScene: Sendable {
    /// Which migration, and where. Known bit by bit while the run starts.
    public struct Subject: Sendable, Equatable {
        public var name: String
        /// Empty while there is no connection.
        public var database = ""
        /// The server's address and port as its sessions see them; empty while there is no connection.
        public var server = ""
        /// Ready for a statement, as `public."my table"`. Before the plan is made: the request's.
        public var tables: [String]
        public var change: MigrationRequest.Change
        /// An earlier run has begun this migration.
        public var isResumed = false
        /// The control socket's path.
        public var socket: String?

        public init(name: String, tables: [String], change: MigrationRequest.Change) {
            self.name = name
            self.tables = tables
            self.change = change
        }

        init(_ request: MigrationRequest) {
            switch request.change {
            case .alter(let table, _):
                self.init(name: request.name ?? table, tables: [table], change: request.change)
            case .script:
                self.init(name: request.name ?? "", tables: [], change: request.change)
            }
        }
    }

    public var subject: Subject
    /// As `status --json` has it.
    public var status: MigrationStatus
    /// Of the pages that are to be copied, 0 to 100; nil before they are counted.
    public var percent: Double?

    public init(subject: Subject, status: MigrationStatus, percent: Double? = nil) {
        self.subject = subject
        self.status = status
        self.percent = percent
    }
}

/// The status of a run as it knows it itself: no question to the server, which may be gone or busy when it is wanted. Pure.
struct StatusSketch: Sendable {
    /// As it was when the run began.
    var base: MigrationStatus
    let begun: ContinuousClock.Instant

    init(_ base: MigrationStatus, begun: ContinuousClock.Instant = .now) {
        self.base = base
        self.begun = begun
    }

    /// Before anything is recorded.
    init(_ subject: EventScene.Subject, startedAt: String) {
        self.init(
            MigrationStatus(
                name: subject.name, phase: .planned, condition: .running, ready: false,
                tables: subject.tables.map { .init(table: $0, rowsCopied: 0, percent: 0) }, dirtyKeysSpooled: 0,
                keysRefreshed: 0, cutOver: .init(), verify: .init(), startedAt: startedAt, elapsedSeconds: 0,
                rollbackPossible: true, message: ""))
    }

    func status(_ live: StatusBox.Snapshot, during event: MigrationEvent, now: ContinuousClock.Instant = .now)
        -> MigrationStatus
    {
        var status = base
        status.phase = event.kind == .cutOver ? .done : event.kind == .rollback ? .rolledBack : live.phase
        status.condition = live.condition
        status.reason = live.currentReason
        switch event {
        case .throttle(let stoppage):
            status.condition = stoppage.isBeginning ? stoppage.condition : .running
            status.reason = stoppage.reason
        case .beginPostponed(let reason):
            status.condition = .waiting
            status.reason = reason
        default: break
        }
        status.ready = status.phase == .ready || status.phase == .cuttingOver
        for table in live.tables {
            let name = table.name.description
            guard let index = status.tables.firstIndex(where: { $0.table == name }) else { continue }
            // A run that goes on after the copy has counted nothing.
            status.tables[index].rowsCopied = max(status.tables[index].rowsCopied, table.rowsCopied)
            status.tables[index].percent =
                status.phase > .copying
                ? 100 : table.pages > 0 ? min(100, Double(table.pagesCopied) / Double(table.pages) * 100) : 0
        }
        status.dirtyKeysSpooled = live.spooledKeys
        status.keysRefreshed = base.keysRefreshed + live.keysRefreshed
        status.streamLagBytes = live.streamLag
        status.retainedWALBytes = live.retainedWAL
        status.cutOver = live.cutOver
        status.cutOver.attempts += base.cutOver.attempts
        status.elapsedSeconds = base.elapsedSeconds + (now - begun).seconds
        status.etaSeconds = status.phase < .ready ? live.estimate.total : status.phase <= .done ? 0 : nil
        status.phaseEtaSeconds = status.phase < .ready ? live.estimate.phase : nil
        // Only the server knows, and it would have to be asked.
        status.blockers = []
        status.rollbackPossible =
            status.phase == .baking ? live.rollbackObstacle == nil : !status.phase.isAfterSwap
        return status
    }
}
