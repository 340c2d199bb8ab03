import ArgumentParser
import ShadowAlter

/// Shows what `run` would do.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what `run` would do; leaves nothing behind.")

    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var change: ChangeArguments
    @Flag(help: "Print the plan as JSON.") var json = false

    func run() async throws {
        let request = try change.request()
        try await reportingFailure {
            let plan = try await Planning.dryRun(request, connections: connection.options)
            Terminal.print(json ? try JSONOutput.pretty(PlanDocument(plan: plan)) : PlanReport(plan: plan).text)
        }
    }
}
