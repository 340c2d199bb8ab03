import FoundationEssentials
import Glibc
import Subprocess
import Synchronization

/// One life of the server's main process.
final class Postmaster: Sendable {
    let pid: pid_t
    private let ending: Ending

    /// How the process ended; filled in by the task that waits for it.
    private final class Ending: Sendable {
        let status = Mutex<TerminationStatus?>(nil)
    }

    private init(pid: pid_t, ending: Ending) {
        self.pid = pid
        self.ending = ending
    }

    /// nil while it runs.
    var termination: TerminationStatus? { ending.status.withLock { $0 } }

    /// Starts `postgres` on `<directory>/data` with its output in `<directory>/server.log`, and returns at once.
    static func launch(_ binaries: ServerBinaries, in directory: String, account: ServerAccount) async throws
        -> Postmaster
    {
        let command = Command(
            program: binaries.path("postgres"), arguments: ["-D", "\(directory)/data"], account: account,
            workingDirectory: directory)
        let ending = Ending()
        let (births, birth) = AsyncStream<pid_t>.makeStream()
        let life = Task.detached {
            defer { birth.finish() }
            let result = try await run(
                .name("sh"), arguments: command.shellArguments(redirection: ">>server.log 2>&1"),
                environment: command.environment(), platformOptions: command.platformOptions(), input: .none,
                output: .discarded, error: .discarded
            ) { execution in
                birth.yield(execution.processIdentifier.value)
                birth.finish()
            }
            ending.status.withLock { $0 = result.terminationStatus }
        }
        guard let pid = await births.first(where: { _ in true }) else {
            try await life.value
            throw ThrowawayServerError("the server in \(directory) could not be launched.")
        }
        return Postmaster(pid: pid, ending: ending)
    }

    /// What line 8 of postmaster.pid says (src/include/utils/pidfile.h): `starting`, `ready`, `stopping`, `standby`.
    /// pg_ctl waits on the same line. nil while the file is not there, or is another process's.
    func condition(in directory: String) -> String? {
        guard let data = FileManager.default.contents(atPath: "\(directory)/data/postmaster.pid") else { return nil }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 8, lines[0] == String(pid) else { return nil }
        return lines[7].split(separator: " ").first.map(String.init)
    }

    func send(_ signal: Int32) {
        // Until `termination` is known the process has not been reaped, and its number cannot be anybody else's.
        guard termination == nil else { return }
        kill(pid, signal)
    }

    /// Waits for `condition` without giving up when the caller's task is cancelled.
    ///
    /// - Returns: false if it was still not met after `limit`.
    func wait(atMost limit: Duration, until condition: @escaping @Sendable (Postmaster) -> Bool) async -> Bool {
        await Task.detached { [self] in
            let deadline = ContinuousClock.now + limit
            while !condition(self) {
                guard ContinuousClock.now < deadline else { return false }
                try? await Task.sleep(for: .milliseconds(5))
            }
            return true
        }.value
    }
}
