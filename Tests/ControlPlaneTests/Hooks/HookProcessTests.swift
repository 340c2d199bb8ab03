import FoundationEssentials
import Glibc
import Synchronization
import Testing

@testable import ControlPlane

@Suite("A hook's process", .timeLimit(.minutes(2))) struct HookProcessTests {
    private let directory = ScratchDirectory()
    private let lines = Lines()

    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        func add(_ line: String) { all.withLock { $0.append(line) } }
        var list: [String] { all.withLock { $0 } }
    }

    private func run(
        _ body: String, input: [UInt8] = [], limit: Duration = .seconds(100), environment: [String: String] = [:]
    ) async throws -> (ending: HookProcess.Ending, lastLine: String?) {
        let path = try directory.write("on-ready", "#!/bin/sh\n\(body)\n", mode: 0o755)
        return await HookProcess(path: path, environment: environment, input: input, timeLimit: limit).run { [lines] in
            lines.add($0)
        }
    }

    @Test func itIsGivenItsEnvironmentAndInput() async throws {
        setenv("SA_TEST_INHERITED", "from us", 1)
        let (ending, last) = try await run(
            "cat; echo \"$SHADOW_ALTER_NAME, $SA_TEST_INHERITED\" >&2", input: Array("{}\n".utf8),
            environment: ["SHADOW_ALTER_NAME": "it's \"quoted\" $HOME `id`"])
        #expect(ending == .exited(0))
        #expect(lines.list == ["{}", "it's \"quoted\" $HOME `id`, from us"])
        #expect(last == lines.list.last)
        directory.remove()
    }

    @Test func itsCodeAndSignalAreSeen() async throws {
        #expect(try await run("exit 3").ending == .exited(3))
        #expect(try await run("kill -9 $$").ending == .signaled(9))
        directory.remove()
    }

    @Test func whatCannotBeStartedSaysWhy() async throws {
        let path = try directory.write("on-ready", "#!/nowhere/to/be/found\n", mode: 0o755)
        let ending = await HookProcess(path: path, environment: [:], input: [], timeLimit: .seconds(9)).run { _ in }
            .ending
        guard case .notStarted = ending else {
            Issue.record("\(ending)")
            return
        }
        directory.remove()
    }

    /// More than a pipe holds.
    @Test func itNeedNotReadItsInput() async throws {
        #expect(try await run("exit 0", input: [UInt8](repeating: 65, count: 1 << 20)).ending == .exited(0))
        directory.remove()
    }

    @Test func aFloodIsCutAndDoesNotHoldItUp() async throws {
        let (ending, _) = try await run("head -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 100; echo; echo end")
        #expect(ending == .exited(0))
        #expect(lines.list.last?.contains("is cut here, after 64 kB") == true)
        #expect(lines.list.reduce(0) { $0 + $1.utf8.count } < 70_000)
        directory.remove()
    }

    @Test func whatItLeavesInTheBackgroundIsNotWaitedFor() async throws {
        let (ending, last) = try await run(
            "sleep 1000 & echo $! >\"$FILE\"; echo done", environment: ["FILE": directory.path + "/pid"])
        #expect(ending == .exited(0))
        #expect(last == "done")
        let child = try #require(Int32((directory.text("pid") ?? "").filter(\.isNumber)))
        #expect(kill(child, SIGKILL) == 0, "it was ended with the hook")
        directory.remove()
    }

    @Test func itsTimeLimitEndsAllOfIt() async throws {
        let (ending, last) = try await run(
            "sleep 1000 & echo $! >\"$FILE\"; trap 'echo asked; exit 0' TERM; echo begun; wait",
            limit: .milliseconds(300),
            environment: ["FILE": directory.path + "/pid"])
        #expect(ending == .timedOut(.milliseconds(300)))
        #expect(last == "asked")
        let child = try #require(Int32((directory.text("pid") ?? "").filter(\.isNumber)))
        // It was sent the signal at the same time; a busy machine may let it die a moment later. It would live for 1000 seconds.
        while !Self.isGone(child) { try await Task.sleep(for: .milliseconds(5)) }
        directory.remove()
    }

    @Test func whoIgnoresSIGTERMIsKilled() async throws {
        let (ending, _) = try await run("trap '' TERM; while :; do sleep 1; done", limit: .milliseconds(100))
        #expect(ending == .timedOut(.milliseconds(100)))
        directory.remove()
    }

    @Test func nothingStaysOpen() async throws {
        func open() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        _ = try await run("echo first")
        let before = try open()
        for _ in 1...40 { _ = try await run("echo more >&2") }
        // Other tests may run beside this one.
        #expect(try open() < before + 20)
        directory.remove()
    }

    @Test func aCancellationEndsIt() async throws {
        let path = try directory.write("on-ready", "#!/bin/sh\ntouch \"$FILE\"; sleep 1000\n", mode: 0o755)
        let mark = directory.path + "/begun"
        let task = Task {
            await HookProcess(path: path, environment: ["FILE": mark], input: [], timeLimit: .seconds(1000)).run { _ in
            }
            .ending
        }
        while !FileManager.default.fileExists(atPath: mark) { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        #expect(await task.value == .ended)
        directory.remove()
    }

    /// A process that nobody waits for yet counts as gone.
    private static func isGone(_ process: Int32) -> Bool {
        guard let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return true }
        return String(decoding: status, as: UTF8.self).contains(") Z ")
    }
}
