import ArgumentParser
import Logging
import ShadowAlter

/// Makes the change, or continues it.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Make the change; the same command again continues where it was.",
        discussion: """
            Exit codes: 0 done, 1 failed (state kept, run again to continue), 2 usage, 3 refused (nothing was touched), \
            4 ended by abort or rollback, 5 not cut over before --cut-over-deadline.
            """)

    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var change: ChangeArguments
    @OptionGroup var run: RunArguments
    @OptionGroup var output: OutputArguments
    @Flag(help: "Print the summary as JSON.") var json = false

    func run() async throws {
        let request = try change.request()
        try await reportingFailure(as: output.logFormat) {
            let live = LiveRun(
                request: request, connections: connection.options, options: run.options, output: output,
                points: run.points, hooks: try run.hooks.settings())
            let start = ContinuousClock.now
            let summary = try await interruptible(
                onSignal: { live.log.notice("\($0): ending after the work in hand; once more ends at once") },
                { try await live.run() })
            if json {
                Terminal.print(try JSONOutput.pretty(summary))
            } else {
                let text = SummaryText(summary: summary, elapsed: ContinuousClock.now - start)
                Terminal.print(text.lines.joined(separator: "\n"))
            }
        }
    }
}
