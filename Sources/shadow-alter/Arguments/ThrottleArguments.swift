import ArgumentParser
import ControlPlane
import ShadowAlter

/// For whose sake the work stops.
struct ThrottleArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How far a standby may be behind before the work stops; off: nobody looks.", valueName: "duration|off"))
    var maxReplicaLag = "5s"

    @Option(
        name: .customLong("throttle-control-replica"),
        help: ArgumentHelp(
            "A standby that is asked for its lag; may be repeated. (default: all that stream from the primary, as it sees them)",
            valueName: "conninfo"))
    var controlReplicas: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            A load beyond which the work stops: active-sessions<=N, lock-waiters<=N, wal-rate<=SIZE (a second), \
            requested-checkpoints<=N (a minute), or 'QUERY<=N'; may be repeated.
            """,
            valueName: "measure<=n"))
    var maxLoad: [LoadLimit] = []

    @Option(
        help: ArgumentHelp(
            "A load beyond which the migration is aborted, or hibernates; like --max-load.", valueName: "measure<=n"))
    var criticalLoad: [LoadLimit] = []

    @Option(help: "Do not abort at the critical load, but stop the work for so long.")
    var criticalLoadHibernate: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "A query that stops the work while its first value is above zero, or true.", valueName: "sql"))
    var throttleQuery: String?

    @Option(help: ArgumentHelp("While this file exists, the work stops.", valueName: "file"))
    var throttleFlagFile: String?

    @Option(
        help: ArgumentHelp(
            "A check that stops the work unless it answers HEAD with 200; http only.", valueName: "url"))
    var throttleHttp: String?

    func validate() throws {
        var options = MigrationOptions()
        do throws(SettingError) {
            try options.set(.maximumReplicaLag, to: maxReplicaLag)
            try options.set(.throttleHTTP, to: throttleHttp ?? "")
        } catch {
            throw ValidationError("--\(error)")
        }
    }

    func apply(to options: inout MigrationOptions) {
        options.maximumReplicaLag = maxReplicaLag == "off" ? nil : DurationText(maxReplicaLag)?.duration
        options.controlReplicas = controlReplicas
        options.maximumLoad = maxLoad
        options.criticalLoad = criticalLoad
        options.criticalLoadHibernation = criticalLoadHibernate?.duration
        options.throttleQuery = throttleQuery
        options.throttleFlagFile = throttleFlagFile
        options.throttleHTTP = throttleHttp.flatMap { try? HTTPAddress($0) }
        // Also for an address that is only `set` later.
        options.throttleSources = [HTTPThrottle()]
    }
}

extension LoadLimit: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
