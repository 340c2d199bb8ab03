import ArgumentParser
import ControlPlane
import ShadowAlter

/// How fast, and when.
struct RunArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            auto: as soon as the new table is in sync; manual: when `shadow-alter cut-over NAME` is called; or a time of the week, such as \
            'Sun 02:00-04:00 UTC' or 'Mon-Fri 22:00-05:00 Europe/Berlin'; several may be given. (default: auto)
            """,
            valueName: "auto|manual|window"))
    var cutOver: [CutOverArgument] = []

    @Option(
        help: ArgumentHelp(
            "When to give up waiting for the cut-over, with exit code 5: a duration from now, or a time as PostgreSQL reads it.",
            valueName: "duration|time"))
    var cutOverDeadline: String?

    @Option(
        help: ArgumentHelp(
            "While this file exists, the tables are not exchanged unless `shadow-alter cut-over` is called.",
            valueName: "file"))
    var postponeCutOverFlagFile: String?

    @Option(
        help: ArgumentHelp(
            """
            After the exchange, let the old tables follow the new ones, so that `shadow-alter rollback NAME` loses nothing: for a time such as 24h, \
            or until-finalize. The run stays alive for so long. (default: they do not follow)
            """,
            valueName: "duration|until-finalize"))
    var bake: BakeArgument?

    @Option(help: "How long a cut-over attempt waits for its lock, and everybody behind it.")
    var lockTimeout = DurationArgument(milliseconds: 500)

    @Option(help: "How long a cut-over attempt may take altogether.")
    var cutOverBudget = DurationArgument(milliseconds: 1000)

    @Option(
        help: ArgumentHelp(
            """
            End sessions that have been in the way of a cut-over for so long; only those idle in a transaction, if that is added. Never a \
            superuser's, a replication session, a prepared transaction, or a vacuum against wraparound. (default: nobody)
            """,
            valueName: "after=duration[,idle-in-transaction-only]"))
    var terminateBlockers: BlockerTermination?

    @Option(
        help: ArgumentHelp(
            """
            Whether the cut-over waits for standbys that feed back a snapshot from before the new table was complete, or passes over them: sessions \
            there would find rows missing.
            """))
    var standbySnapshots = StandbySnapshotPolicy.wait

    @Option(help: "How many sessions copy rows and build indexes.")
    var copyWorkers = 2

    @Option(help: "How long one chunk of the copy should take.")
    var chunkTime = DurationArgument(milliseconds: 500)

    @Option(
        help: ArgumentHelp(
            "What is compared before the tables may be exchanged: full: every row, both ways; sample, or sample=5%: the rows of that share of the pages; off.",
            valueName: "full|sample|off"))
    var verify = VerifyArgument(mode: .full)

    @Option(help: "Pause after each chunk, as a multiple of the time that it took.")
    var nice = 0.0

    @Option(help: "WAL held by the slot beyond which the copy waits; beyond twice as much the slot is given up.")
    var maxWalRetained = SizeArgument(gigabytes: 10)

    @Option(
        help: ArgumentHelp(
            """
            What the primary may keep in memory of transactions that the change stream is decoding; larger ones go through files on its disk. \
            (default: a quarter of shared_buffers up to 256MB, and never less than the server's logical_decoding_work_mem)
            """,
            valueName: "size"))
    var decodingMemory: SizeArgument?

    @Option(
        help: ArgumentHelp(
            """
            Stay alive after the cut-over, and drop the old tables so long after it, as `shadow-alter finalize` does; 0: at once. The same command, \
            run again, goes on with the rest of the time. (default: end after the cut-over, and leave that to `finalize`)
            """,
            valueName: "duration"))
    var finalizeAfter: DurationArgument?

    @OptionGroup(title: "Throttling") var throttle: ThrottleArguments

    @OptionGroup(title: "Hooks") var hooks: HookArguments

    @Option(
        help: ArgumentHelp(
            "Serve Prometheus metrics, /healthz and a page to watch the run, over HTTP; on loopback unless a host is given.",
            valueName: "[host:]port"))
    var metrics: ListenAddress?

    @Flag(
        help:
            "Buttons on the page of --metrics, and POST /control/…, for those who know a token; it is in a file beside the control socket."
    )
    var metricsControl = false

    @Option(
        help: ArgumentHelp(
            "Where the control socket is made. (default: shadow-alter.DATABASE.NAME.sock in XDG_RUNTIME_DIR or /tmp)",
            valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "Take the control socket's commands on a TCP port of this machine, too: from every account of the machine, there is no password.",
            valueName: "[host:]port"))
    var socketTcp: ListenAddress?

    var points: ControlPoints.Wanted {
        ControlPoints.Wanted(
            socketPath: socket, port: socketTcp, metrics: metrics, isMetricsControlWanted: metricsControl)
    }

    func validate() throws {
        let windows = cutOver.compactMap(\.window).count
        guard windows == cutOver.count || cutOver.count == 1 else {
            throw ValidationError("--cut-over takes auto, manual, or one or more windows.")
        }
        guard socketTcp?.isLoopback != false else {
            throw ValidationError(
                "--socket-tcp takes a port of this machine alone, such as 9000 or 127.0.0.1:9000: it asks nobody for a password."
            )
        }
        guard !metricsControl || metrics?.isLoopback == true else {
            throw ValidationError(
                "--metrics-control needs --metrics with a port alone, or a loopback address before it.")
        }
        guard copyWorkers >= 1, copyWorkers <= 64 else { throw ValidationError("--copy-workers takes 1 to 64.") }
        if let decodingMemory {
            guard (64 << 10..<1 << 40).contains(decodingMemory.bytes) else {
                throw ValidationError("--decoding-memory takes 64kB or more, and less than 1TB.")
            }
        }
        guard nice >= 0, nice <= 100 else { throw ValidationError("--nice takes 0 to 100.") }
        for (name, value) in [
            ("lock-timeout", lockTimeout), ("cut-over-budget", cutOverBudget), ("chunk-time", chunkTime),
        ] {
            guard value.duration >= .milliseconds(1) else {
                throw ValidationError("--\(name) takes at least 1ms.")
            }
        }
    }

    var options: MigrationOptions {
        var options = MigrationOptions()
        options.cutOver = cutOver.first?.mode ?? .auto
        if case .windows = options.cutOver { options.cutOver = .windows(cutOver.compactMap(\.window)) }
        options.cutOverDeadline = cutOverDeadline.map { text in
            DurationText(text).map { .after($0.duration) } ?? .at(text)
        }
        options.postponeFlagFile = postponeCutOverFlagFile
        options.bake = bake?.bake
        options.lockTimeout = lockTimeout.duration
        options.cutOverBudget = cutOverBudget.duration
        options.finalizeAfter = finalizeAfter?.duration
        options.blockerTermination = terminateBlockers
        options.standbySnapshots = standbySnapshots
        options.copyWorkers = copyWorkers
        options.chunkTime = chunkTime.duration
        options.niceRatio = nice
        options.verification = verify.mode
        options.maximumRetainedWAL = maxWalRetained.bytes
        options.decodingMemory = decodingMemory?.bytes
        throttle.apply(to: &options)
        return options
    }
}

extension ListenAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension StandbySnapshotPolicy: ExpressibleByArgument {}

extension BlockerTermination: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
