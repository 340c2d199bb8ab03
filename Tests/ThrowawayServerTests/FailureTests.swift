import FoundationEssentials
import Glibc
import Testing
import ThrowawayServer

@Suite("What happens when something goes wrong")
struct FailureTests {
    @Test(
        "kill -9 of the process that uses it ends a server and removes its directory",
        arguments: try await Servers.all())
    func killed(_ binaries: ServerBinaries) async throws {
        let report = "\(FileManager.default.temporaryDirectory.path)/shadow-alter-\(UUID().uuidString)"
        defer { unlink(report) }
        // The body is a process of its own.
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [report = report as String, binaries] in
            let server = try await ThrowawayServer.start(binaries)
            let answer = try await server.psql("SELECT 'served'")
            let pid = try #require(server.pid)
            try "\(answer) \(pid) \(server.directory)".write(toFile: report, atomically: true, encoding: .utf8)
            kill(getpid(), SIGKILL)
            try await server.stop()
        }
        let words = try String(contentsOfFile: report, encoding: .utf8).split(separator: " ")
        try #require(words.count == 3 && words[0] == "served")
        let pid = try #require(pid_t(words[1]))
        let directory = String(words[2])
        #expect(try await Servers.eventually { !Servers.exists(directory) })
        #expect(!Servers.isAlive(pid))
    }

    @Test("a server that nobody refers to any more ends", arguments: try await Servers.all())
    func forgotten(_ binaries: ServerBinaries) async throws {
        func startAndForget() async throws -> (pid: Int32, directory: String) {
            let server = try await ThrowawayServer.start(binaries)
            return (try #require(server.pid), server.directory)
        }
        let (pid, directory) = try await startAndForget()
        #expect(try await Servers.eventually { !Servers.exists(directory) })
        #expect(!Servers.isAlive(pid))
    }

    @Test("a server that dies by itself is noticed, and can be removed", arguments: try await Servers.all())
    func crashed(_ binaries: ServerBinaries) async throws {
        let server = try await ThrowawayServer.start(binaries)
        let pid = try #require(server.pid)
        kill(pid, SIGKILL)
        #expect(try await Servers.eventually { server.pid == nil })
        try await server.stop()
        #expect(!Servers.exists(server.directory))
    }

    @Test("a server that cannot start says why, and leaves nothing", arguments: try await Servers.all())
    func badSetting(_ binaries: ServerBinaries) async throws {
        let error = try await #require(throws: ThrowawayServerError.self) {
            try await ThrowawayServer.start(binaries, settings: ["shared_buffers": "a lot"])
        }
        #expect(error.description.contains("invalid value for parameter \"shared_buffers\": \"a lot\""))
        let path = try #require(error.description.split(separator: " ").first { $0.hasPrefix("/") })
        #expect(path.contains("shadow-alter-"))
        #expect(!Servers.exists(String(path)))
    }

    @Test("a failed restart leaves a stopped server that can be repaired", arguments: try await Servers.all())
    func badRestart(_ binaries: ServerBinaries) async throws {
        try await Servers.with(binaries) { server in
            await #expect(throws: ThrowawayServerError.self) {
                try await server.restart(settings: ["shared_buffers": "a lot"])
            }
            #expect(server.pid == nil)
            try await server.restart(settings: ["shared_buffers": "20MB"])
            #expect(try await server.psql("SHOW shared_buffers") == "20MB")
        }
    }

    @Test(
        "settings that would break the connection string are refused",
        arguments: ["port", "Unix_Socket_Directories", "a b"])
    func reserved(name: String) async throws {
        let binaries = try #require(try await Servers.all().first)
        await #expect(throws: ThrowawayServerError.self) {
            try await ThrowawayServer.start(binaries, settings: [name: "1"])
        }
    }

    @Test("programs that are not there are reported with their path")
    func noPrograms() async throws {
        let error = try await #require(throws: ThrowawayServerError.self) {
            try await ThrowawayServer.start(ServerBinaries(majorVersion: 15, binDirectory: "/nonexistent/bin"))
        }
        #expect(error.description.contains("/nonexistent/bin/initdb"))
        #expect(error.description.contains("tools/servers"))
    }
}
