import FoundationEssentials
import Logging
import PgConnection

/// Asks once a second everything that may stop the work for the sake of others, and tells the throttle. What cannot be asked stops the work.
actor ThrottleWatch {
    private let connections: ConnectionOptions
    private let settings: LiveSettings
    private let throttle: Throttle
    private let log: Logger

    private var connection: PgConnection?
    private let replicas = ReplicaLag()
    private var meters: [String: LoadMeter] = [:]
    private var hibernatesUntil: ContinuousClock.Instant?
    private var told: [Throttle.Source: String] = [:]
    private var hasComplained = false
    private var hasWarned = false

    static let interval = Duration.seconds(1)
    /// How long a source outside of the server may take that does not watch its time itself.
    static let patience = Duration.seconds(3)

    init(connections: ConnectionOptions, settings: LiveSettings, throttle: Throttle, log: Logger) {
        self.connections = connections
        self.settings = settings
        self.throttle = throttle
        self.log = log
    }

    /// Until cancelled. Throws `criticalLoad` when the load passes its critical limit and no hibernation is wanted.
    func run() async throws {
        do {
            while true {
                try await look()
                try await Task.sleep(for: Self.interval)
            }
        } catch {
            await connection?.close()
            await replicas.close()
            throw error
        }
    }

    private func look() async throws {
        let options = settings.current
        do {
            let connection = try await primary()
            try await replicas.note(on: connection)
            try await tell(.replicaLag) { try await self.replicaLag(options, connection) }
            try await tell(.load) {
                let load = try await self.measure(options.maximumLoad, on: connection)
                self.throttle.set(.load, pressure: load.pressure)
                return load.excess.map { "the load \($0)" }
            }
            try await tell(.query) { try await self.query(options.throttleQuery, on: connection) }
            try await guardCriticalLoad(options, connection)
        } catch let error as PgError {
            // Whatever it is, it is no reason to end a migration: it is asked again, by a new session.
            await connection?.close()
            connection = nil
            set(.load, "the server cannot be asked for its load: \(error.message)")
        }
        try await tell(.flagFile) {
            options.throttleFlagFile.flatMap {
                FileManager.default.fileExists(atPath: $0) ? "the file \($0) exists" : nil
            }
        }
        try await tell(.outside) { try await Self.outside(options) }
    }

    private func primary() async throws -> PgConnection {
        if let connection { return connection }
        let new = try await PgConnection.connect(connections, for: .throttle)
        connection = new
        try await warn(new)
        return new
    }

    /// PostgreSQL hides what others do, standbys among them, from a role without these privileges.
    private func warn(_ connection: PgConnection) async throws {
        guard !hasWarned else { return }
        hasWarned = true
        let seesAll: Bool = try await connection.query(
            "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
        ).single().value()
        guard !seesAll else { return }
        log.warning(
            "our role sees neither the lag of standbys nor what other roles' sessions do, so that these do not throttle the work: GRANT pg_monitor, or list the standbys with --throttle-control-replica"
        )
    }

    private func replicaLag(_ options: MigrationOptions, _ connection: PgConnection) async throws -> String? {
        throttle.set(.replicaLag, pressure: 0)
        guard let limit = options.maximumReplicaLag else { return nil }
        var standbys: [ReplicaLag.Standby] = []
        if options.controlReplicas.isEmpty {
            standbys = try await replicas.streaming(from: connection)
        } else {
            for (index, conninfo) in options.controlReplicas.enumerated() {
                let name = "the listed replica \(index + 1)"
                do {
                    standbys.append(try await replicas.ask(conninfo, name: name))
                } catch let error as PgError {
                    return "\(name) cannot be asked for its lag: \(error.message)"
                }
            }
        }
        guard let worst = standbys.max(by: { $0.lag < $1.lag }) else { return nil }
        throttle.set(.replicaLag, pressure: worst.lag / limit)
        guard worst.lag > limit else { return nil }
        return
            "\(worst.name) is \(DurationText(.milliseconds(worst.lag.milliseconds.rounded()))) behind, more than \(DurationText(limit))"
    }

    private struct Load {
        /// The first limit that is passed, with its value.
        var excess: String?
        /// Of all limits, the value that is closest to it, as a part of it.
        var pressure = 0.0
    }

    private func measure(_ limits: [LoadLimit], on connection: PgConnection) async throws -> Load {
        var load = Load()
        for limit in limits {
            var meter = meters[limit.description] ?? LoadMeter()
            defer { meters[limit.description] = meter }
            guard let value = try await meter.measure(limit.measure, on: connection) else { continue }
            if limit.maximum > 0 { load.pressure = max(load.pressure, value / limit.maximum) }
            if value > limit.maximum, load.excess == nil {
                load.excess = "is \((value * 10).rounded() / 10), and the limit is \(limit.withoutLiterals)"
            }
        }
        return load
    }

    private func query(_ sql: String?, on connection: PgConnection) async throws -> String? {
        guard let sql else { return nil }
        var meter = LoadMeter()
        let value = try await meter.measure(.query(sql), on: connection) ?? 0
        return value > 0 ? "the throttle query says so: \((value * 10).rounded() / 10)" : nil
    }

    private static func outside(_ options: MigrationOptions) async throws -> String? {
        for source in options.throttleSources {
            let reason = try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask { try await source.reason(options) }
                group.addTask {
                    try await Task.sleep(for: patience)
                    return "no answer within \(DurationText(patience))"
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            if let reason { return reason }
        }
        return nil
    }

    private func guardCriticalLoad(_ options: MigrationOptions, _ connection: PgConnection) async throws {
        if let until = hibernatesUntil {
            guard ContinuousClock.now >= until else { return }
            hibernatesUntil = nil
            set(.criticalLoad, nil)
        }
        let excess: String?
        do {
            excess = try await measure(options.criticalLoad, on: connection).excess
        } catch let error as PgError where error.code != .connectionLost && error.code != .connectionFailed {
            if !hasComplained {
                log.warning(
                    "the critical load cannot be measured: \(Secrets(queriesOf: options).hidden(in: error.message))")
            }
            hasComplained = true
            return
        }
        guard let excess else { return }
        guard let pause = options.criticalLoadHibernation else {
            throw MigrationError(
                .aborted, "the critical load \(excess): the migration was ended",
                state: "no live table was touched",
                advice: "")
        }
        hibernatesUntil = .now + pause
        set(.criticalLoad, "the critical load \(excess): hibernating for \(DurationText(pause))")
    }

    /// What a source says, or why it cannot say anything.
    private func tell(_ source: Throttle.Source, _ reason: () async throws -> String?) async throws {
        do {
            set(source, try await reason())
        } catch let error as PgError where error.code != .connectionLost {
            set(source, "it cannot be asked: \(error.message)")
        } catch  where !(error is CancellationError || error is PgError) {
            set(source, "it cannot be asked: \(error)")
        }
    }

    /// Logs the beginning and the end, and not every change of a number; before anybody can see it elsewhere.
    private func set(_ source: Throttle.Source, _ said: String?) {
        let reason = said.map { Secrets(queriesOf: settings.current).hidden(in: $0) }
        switch (told[source], reason) {
        case (nil, let reason?): log.notice("throttled: \(reason)")
        case (.some, nil): log.notice("no longer throttled by \(source.name)")
        default: break
        }
        told[source] = reason
        throttle.set(source, reason.map { Throttle.Stop(.throttled, $0) })
    }
}
