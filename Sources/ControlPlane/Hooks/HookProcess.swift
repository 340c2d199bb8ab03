import FoundationEssentials
import Glibc
import ShadowAlter
import Subprocess
import Synchronization
import SystemPackage

/// One run of a hook, which ends in any case: by itself, or with its whole process group at its time limit or when our task is cancelled.
struct HookProcess: Sendable {
    enum Ending: Sendable, Equatable, CustomStringConvertible {
        case exited(Int32)
        case signaled(Int32)
        case timedOut(Duration)
        /// Our own task was cancelled.
        case ended
        case notStarted(String)

        var isSuccess: Bool { self == .exited(0) }

        var description: String {
            switch self {
            case .exited(let code): "it ended with code \(code)"
            case .signaled(let signal): "it was ended by signal \(signal)"
            case .timedOut(let limit): "it took longer than its limit of \(DurationText(limit)) and was ended"
            case .ended: "it was ended together with the run"
            case .notStarted(let reason): "it could not be started: \(reason)"
            }
        }
    }

    let path: String
    /// Besides our own.
    let environment: [String: String]
    /// The file that the hook's standard input is; it need not be read.
    let input: [UInt8]
    let timeLimit: Duration

    /// Between SIGTERM and SIGKILL.
    static let grace = Duration.seconds(2)

    /// - Returns: how it ended, and the last line of its output.
    func run(onLine: @escaping @Sendable (String) -> Void) async -> (ending: Ending, lastLine: String?) {
        let pipe: HookPipe
        let file: FileDescriptor
        do {
            file = try Self.unnamedFile(input)
        } catch {
            return (.notStarted("its standard input cannot be made: \(error)"), nil)
        }
        defer { try? file.close() }
        do {
            pipe = try await HookPipe.open(onLine: onLine)
        } catch {
            return (.notStarted("its output cannot be read: \(error)"), nil)
        }
        let ending = await run(input: file, output: pipe.writeEnd)
        return (ending, await pipe.finish())
    }

    private func run(input: FileDescriptor, output: FileDescriptor) async -> Ending {
        let group = ProcessGroup()
        // Not a child task: a cancellation has to reach the hook's whole group, and the hook is awaited all the same.
        let work = Task { [self] in
            try await Subprocess.run(
                .path(FilePath(path)), environment: merged(), platformOptions: options(),
                input: .fileDescriptor(input, closeAfterSpawningProcess: false),
                output: .fileDescriptor(output, closeAfterSpawningProcess: false),
                // `.combinedWithOutput` would keep a copy open that nobody closes.
                error: .fileDescriptor(output, closeAfterSpawningProcess: false)
            ) { execution in group.begin(execution.processIdentifier.value) }
        }
        let timer = Task { [timeLimit] in
            try await Task.sleep(for: timeLimit)
            await group.end(because: .timedOut(timeLimit))
        }
        let result = await withTaskCancellationHandler {
            await work.result
        } onCancel: {
            Task { await group.end(because: .ended) }
        }
        timer.cancel()
        if let reason = group.isOver() { return reason }
        switch result {
        case .success(let outcome):
            return switch outcome.terminationStatus {
            case .exited(let code): .exited(code)
            case .signaled(let signal): .signaled(signal)
            }
        case .failure(let error): return .notStarted("\(error)")
        }
    }

    private func merged() -> Environment {
        .inherit.updating(
            Dictionary(
                uniqueKeysWithValues: environment.compactMap { name, value in
                    Environment.Key(rawValue: name).map { ($0, value) }
                }))
    }

    private func options() -> PlatformOptions {
        var options = PlatformOptions()
        // A session of its own: its process group can be ended as a whole, and Ctrl-C at the terminal is for us.
        options.createSession = true
        return options
    }

    /// A file and no pipe: nobody has to write while the hook reads, or does not.
    private static func unnamedFile(_ bytes: [UInt8]) throws -> FileDescriptor {
        let name = FileManager.default.temporaryDirectory.path + "/shadow-alter-hook-\(UInt64.random(in: 0 ... .max))"
        let file = try FileDescriptor.open(
            FilePath(name), .readWrite, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
            permissions: .ownerReadWrite)
        unlink(name)
        do {
            try file.writeAll(bytes)
            try file.seek(offset: 0, from: .start)
        } catch {
            try? file.close()
            throw error
        }
        return file
    }
}

/// The processes of one hook.
private final class ProcessGroup: Sendable {
    private struct State {
        var leader: pid_t?
        var reason: HookProcess.Ending?
        var isOver = false
    }
    private let state = Mutex(State())

    func begin(_ leader: pid_t) {
        state.withLock {
            $0.leader = leader
            // It was to end before it began.
            if $0.reason != nil { kill(-leader, SIGTERM) }
        }
    }

    /// Once; whoever comes later finds it ending.
    func end(because reason: HookProcess.Ending) async {
        let isFirst = state.withLock { state in
            guard state.reason == nil, !state.isOver else { return false }
            state.reason = reason
            if let leader = state.leader { kill(-leader, SIGTERM) }
            return true
        }
        guard isFirst else { return }
        // Whoever called may be cancelled, and the hook is owed its time all the same.
        await Task.detached { try? await Task.sleep(for: HookProcess.grace) }.value
        state.withLock { state in
            if !state.isOver, let leader = state.leader { kill(-leader, SIGKILL) }
        }
    }

    /// The leader has ended. Returns why it was ended, if it was by us; then the rest of its group goes, too.
    func isOver() -> HookProcess.Ending? {
        state.withLock { state in
            state.isOver = true
            // The number stays the group's for as long as anybody is in it.
            if state.reason != nil, let leader = state.leader { kill(-leader, SIGKILL) }
            return state.reason
        }
    }
}
