import ControlPlane
import Logging
import PgConnection
import ShadowAlter

/// A migration with its progress display and its log.
struct LiveRun: Sendable {
    let log: Logger
    private let migration: Migration
    private let display: ProgressDisplay
    private let points: ControlPoints

    var status: StatusBox { migration.status }

    init(
        request: MigrationRequest, connections: ConnectionOptions, options: MigrationOptions, output: OutputArguments,
        points wanted: ControlPoints.Wanted = .init(), hooks: HookArguments.Settings? = nil
    ) {
        let wantsLine = output.progress == .auto && output.logFormat == .text && Terminal.standardErrorIsTerminal
        let line = wantsLine ? ProgressLine() : nil
        log = Logger(label: "shadow-alter") { [format = output.logFormat] _ in LogOutput(format: format, line: line) }
        let points = ControlPoints(wanted, log: log)
        self.points = points
        var options = options
        hooks?.apply(to: &options, log: log)
        migration = Migration(request, connections: connections, options: options, log: log) {
            try await points.open($0, $1)
        }
        display = ProgressDisplay(
            status: migration.status, mode: output.logFormat == .json ? .off : output.progress, line: line)
    }

    /// The display has ended when this returns or throws.
    func run() async throws -> MigrationSummary {
        let progress = Task { await display.run() }
        let result: Result<MigrationSummary, any Error>
        do { result = .success(try await migration.run()) } catch { result = .failure(explained(error)) }
        await points.close()
        progress.cancel()
        await progress.value
        return try result.get()
    }

    /// What an interruption leaves depends on how far the run was.
    private func explained(_ error: any Error) -> any Error {
        guard error is CancellationError else { return error }
        let phase = status.snapshot.phase
        let (state, advice) =
            switch phase {
            case .baking:
                (
                    "the new definition is live; the old tables do not follow it as long as no run is alive, and the slot holds WAL for them",
                    "run the same command again, they catch up; `shadow-alter finalize` ends it for good"
                )
            case .cuttingOver:
                (
                    "what was recorded is kept; whether the tables are exchanged, `shadow-alter status` says",
                    "run the same command again, it continues; `shadow-alter abort` ends it if they are not"
                )
            case .done:
                (
                    "the new definition is live; something may be left to be done after the cut-over",
                    "run the same command again, it finishes that; then `shadow-alter finalize`"
                )
            case .rolledBack:
                ("the old definition is live again", "run the same command again, it removes what is left")
            case _ where phase > .planned:
                (
                    "no live table was touched; what was recorded is kept, and the slot holds WAL until the migration goes on or is aborted",
                    "run the same command again, it continues; `shadow-alter abort` removes everything"
                )
            default: ("what was recorded is kept", "run the same command again, it continues")
            }
        return MigrationError(
            .interrupted, "Interrupted in the phase \(phase.rawValue).", state: state, advice: advice)
    }
}
