import FoundationEssentials
import Glibc
import ThrowawayServer

/// What the tests in this target share.
enum Servers {
    struct NoneFound: Error, CustomStringConvertible {
        let description = "no PostgreSQL server found; run tools/test, or eval and export `tools/servers --env`"
    }

    /// At least one: a machine without servers fails the tests instead of passing none.
    static func all() async throws -> [ServerBinaries] {
        let found = try await ServerBinaries.available()
        guard !found.isEmpty else { throw NoneFound() }
        return found
    }

    /// Starts a server for `body` and stops it, whatever happens in there.
    static func with(
        _ binaries: ServerBinaries, settings: [String: String] = [:],
        _ body: (ThrowawayServer) async throws -> Void
    ) async throws {
        let server = try await ThrowawayServer.start(binaries, settings: settings)
        do {
            try await body(server)
        } catch {
            try? await server.stop(.immediate)
            throw error
        }
        try await server.stop(.immediate)
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Whether the process is there and not a zombie that nobody has collected.
    static func isAlive(_ pid: pid_t) -> Bool {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
        let text = String(decoding: data, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return false }
        return !text[end...].hasPrefix(") Z")
    }

    /// Waits for something that must happen; three minutes are only a bound on a failing test.
    static func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(180)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }
}
