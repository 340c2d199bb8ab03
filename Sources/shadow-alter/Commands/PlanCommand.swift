import ArgumentParser
import ShadowAlter
import Synchronization

/// Shows what `run` would do.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what `run` would do; leaves nothing behind.")

    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var change: ChangeArguments
    @Flag(
        help: """
            Also read all rows, and name those that the new definition does not take: exit code 3 when there are any. In short steps under \
            ACCESS SHARE; nothing is created but temporary tables.
            """)
    var checkData = false
    @Option(
        help: ArgumentHelp(
            "With --check-data: after each step, pause for this many times as long as it took.", valueName: "ratio"))
    var nice: Double = 0
    @Flag(help: "Print the plan as JSON.") var json = false

    func validate() throws {
        guard nice >= 0, nice <= 100 else { throw ValidationError("--nice takes a number from 0 to 100.") }
        guard checkData || nice == 0 else { throw ValidationError("--nice needs --check-data.") }
    }

    func run() async throws {
        let request = try change.request()
        try await reportingFailure {
            guard checkData else {
                let plan = try await Planning.dryRun(request, connections: connection.options)
                return Terminal.print(
                    json ? try JSONOutput.pretty(PlanDocument(plan: plan)) : PlanReport(plan: plan).text)
            }
            let progress = CheckProgress()
            let check = DataCheck(connections: connection.options, niceRatio: nice) { progress.show($0) }
            let (plan, findings) = try await check.run(request)
            Terminal.print(
                json
                    ? try JSONOutput.pretty(PlanDocument(plan: plan, findings: findings))
                    : PlanReport(plan: plan, findings: findings).text)
            guard findings.isEmpty else { throw Refused(findings.refusals) }
        }
    }
}

/// Tells on standard error how far it is, now and then.
private final class CheckProgress: Sendable {
    private let last = Mutex(ContinuousClock.now)
    private static let interval = Duration.seconds(5)

    func show(_ text: String) {
        let isDue = last.withLock { last in
            guard ContinuousClock.now - last >= Self.interval else { return false }
            last = ContinuousClock.now
            return true
        }
        if isDue { Terminal.printError(text) }
    }
}
