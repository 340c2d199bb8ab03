import Subprocess

/// Ties a server's directory, and the server in it, to the life of this object and of this process.
///
/// A small shell holds the read end of a pipe whose only write end is in this process. The kernel closes that end
/// whatever ends the process, `kill -9` included; the shell then stops the server and removes the directory.
/// (`PR_SET_PDEATHSIG` would not do: it fires when the *thread* that forked ends, and threads of Swift's pool may end
/// at any time; it would not remove the directory either.) Letting go of the object has the same effect.
final class Lifeline: Sendable {
    private let directory: String
    private let end: AsyncStream<Void>.Continuation
    private let guardian: Task<TerminationStatus, any Error>

    /// Returns once the guardian runs, so from here on nothing can be left behind.
    ///
    /// - Parameter directory: an existing directory, owned by `account`, that is to vanish in the end.
    init(directory: String, account: ServerAccount) async throws {
        let command = Command(
            program: "/bin/sh", arguments: ["-c", Self.script, "guardian", directory], account: account)
        let (ends, end) = AsyncStream<Void>.makeStream()
        let (starts, start) = AsyncStream<Void>.makeStream()
        self.directory = directory
        self.end = end
        guardian = Task.detached {
            defer { start.finish() }
            let result = try await run(
                .name("sh"), arguments: command.shellArguments(), environment: command.environment(),
                platformOptions: command.platformOptions(), input: .inputWriter, output: .discarded, error: .discarded
            ) { execution in
                start.yield()
                for await _ in ends {}
                try await execution.standardInputWriter.finish()
            }
            return result.terminationStatus
        }
        guard await starts.first(where: { true }) != nil else {
            let status = try await guardian.value
            throw ThrowawayServerError(
                "the process that guards \(directory) ended with \(status) before it began. No server was started.")
        }
    }

    deinit { end.finish() }

    /// Stops what still runs and removes the directory; returns when both are done.
    func cut() async throws {
        end.finish()
        let status = try await guardian.value
        guard status.isSuccess else {
            throw ThrowawayServerError(
                "the process that guards \(directory) ended with \(status). The server is stopped or will be, but its "
                    + "directory may be left. Remove it by hand.")
        }
    }

    /// A process is the postmaster of this directory only if it works in it: the file may be older than the process
    /// that has its number now. The immediate shutdown (SIGQUIT) waits for no client and no standby.
    private static let script = #"""
        directory=$1
        read -r _
        pid=$(head -n 1 "$directory/data/postmaster.pid" 2>/dev/null)
        runs() { [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$directory/data" ]; }
        if runs; then
            kill -QUIT "$pid"
            tries=0
            while runs && [ "$tries" -lt 100 ]; do
                sleep 0.05
                tries=$((tries + 1))
            done
            if runs; then kill -KILL "$pid"; fi
        fi
        # Children of a postmaster that has been killed may still write for a moment.
        rm -rf "$directory" || { sleep 1; rm -rf "$directory"; }
        """#
}
