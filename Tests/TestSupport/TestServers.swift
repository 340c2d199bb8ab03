import PgConnection
import ThrowawayServer

/// One server per version for all tests of a target; each test works in names of its own.
package actor TestServers {
    package static let shared = TestServers()
    private var starts: [ServerBinaries: Task<ThrowawayServer, any Error>] = [:]

    package static func all() async throws -> [ServerBinaries] {
        let versions = try await ServerBinaries.available()
        guard !versions.isEmpty else { throw NoServer() }
        // All before the first connection: a process that is forked while other threads come and go may hang before exec.
        for version in versions { _ = try await shared.server(version) }
        return versions
    }

    package struct NoServer: Error, CustomStringConvertible {
        package let description = "no PostgreSQL server was found: install one, or set SHADOW_ALTER_SERVERS"
    }

    package func server(_ version: ServerBinaries) async throws -> ThrowawayServer {
        if let start = starts[version] { return try await start.value }
        let start = Task { try await ThrowawayServer.start(version) }
        starts[version] = start
        return try await start.value
    }
}

package func connect(
    _ version: ServerBinaries, user: String? = nil, settings: [String: String] = [:],
    onNotice: @escaping @Sendable (PgNotice) -> Void = { _ in }
) async throws -> PgConnection {
    let server = try await TestServers.shared.server(version)
    var conninfo = "host=\(server.socketDirectory) port=\(server.port) dbname=postgres"
    conninfo += " user=\(user ?? "postgres")"
    return try await PgConnection.connect(
        ConnectionOptions(conninfo: conninfo, settings: settings), onNotice: onNotice)
}

/// The error that `body` throws; a failed expectation and nil when it throws none or another one.
package func pgError(_ body: () async throws -> Void) async -> PgError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? PgError
    }
}

/// Waits until `condition` holds. A condition that never comes fails the test with the time limit of its caller's patience,
/// which is far above what any machine needs.
package func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(180)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(what: what) }
        try await Task.sleep(for: .milliseconds(10))
    }
}

package struct NeverHappened: Error, CustomStringConvertible {
    let what: String
    package var description: String { "did not happen within three minutes: \(what)" }
}
