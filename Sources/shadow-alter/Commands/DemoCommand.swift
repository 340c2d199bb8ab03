import ArgumentParser
import LedgerWorkload
import PgConnection
import ThrowawayServer

/// The main job on a private throwaway server.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show the main job on a private throwaway server, with live writes.",
        discussion: """
            Starts a PostgreSQL server of its own, changes the key of a table from int to bigint while clients write to it, \
            compares every acknowledged write with the table, and removes the server. Exit codes: 0 all is well, 1 not, 2 usage.
            """)

    @Option(help: ArgumentHelp("Rows of the table, 1 to 100,000,000.", valueName: "n")) var rows = 1_000_000
    @Option(help: ArgumentHelp("Clients that write to it, 1 to 64.", valueName: "n")) var clients = 4
    @Option(help: ArgumentHelp("Operations a second, of all clients together, 1 to 100,000.", valueName: "n"))
    var rate = 400
    @Option(help: ArgumentHelp("The seed of an earlier run's load. (default: a random one)", valueName: "n")) var seed:
        UInt64?
    @Option(
        help: ArgumentHelp(
            "The directory of the server's programs, PostgreSQL 14 to 18. (default: the newest one that is found)",
            valueName: "dir"))
    var serverBin: String?
    @OptionGroup var output: OutputArguments

    private static let versions = 14...18

    func validate() throws {
        guard (1...100_000_000).contains(rows) else { throw ValidationError("--rows takes 1 to 100000000.") }
        guard (1...64).contains(clients) else { throw ValidationError("--clients takes 1 to 64.") }
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate takes 1 to 100000.") }
    }

    func run() async throws {
        try await reportingFailure {
            let settings = DemoSettings(
                binaries: try await binaries(), rows: rows, clients: clients, rate: rate,
                seed: try seed ?? WorkloadSeed.choose())
            let report = try await interruptible(
                onSignal: { _ in Terminal.printError("\nInterrupted: ending the demonstration; once more ends at once.")
                },
                { [output] in
                    do {
                        return try await Demonstration(settings: settings, output: output).run()
                    } catch  where Task.isCancelled {
                        // Whatever the cancellation looked like by the time it came here.
                        throw DemoFailure("The demonstration was interrupted; nothing of it is left.")
                    } catch let error as PgError {
                        // The usual words about a migration that is kept and can be continued would be wrong here.
                        throw DemoFailure(
                            "The demonstration failed, with the seed \(settings.seed): \(error)\nState: nothing of it is left."
                        )
                    }
                })
            Terminal.print("\n" + report.lines.joined(separator: "\n"))
            guard report.complaints.isEmpty else { throw ExitCode(1) }
        }
    }

    private func binaries() async throws -> ServerBinaries {
        let chosen: ServerBinaries
        if let serverBin {
            chosen = try await ServerBinaries.inDirectory(serverBin)
        } else {
            let found = try await ServerBinaries.available().filter { Self.versions.contains($0.majorVersion) }
            guard let newest = found.last else {
                throw DemoFailure(
                    """
                    There is no PostgreSQL server of version 14 to 18 on this machine, neither in /usr/lib/postgresql nor in PATH.
                    State: nothing was started.
                    Next: install one (Debian: apt-get install postgresql, or tools/servers), or name its directory with --server-bin.
                    """)
            }
            chosen = newest
        }
        guard Self.versions.contains(chosen.majorVersion) else {
            throw DemoFailure(
                """
                \(chosen.binDirectory) holds \(chosen), and this tool works with 14 to 18.
                State: nothing was started.
                Next: name another directory with --server-bin.
                """)
        }
        return chosen
    }
}

/// Why there was no demonstration.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
