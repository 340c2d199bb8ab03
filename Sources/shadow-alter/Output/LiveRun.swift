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
        do { result = .success(try await migration.run()) } catch { result = .failure(error) }
        await points.close()
        progress.cancel()
        await progress.value
        return try result.get()
    }
}
