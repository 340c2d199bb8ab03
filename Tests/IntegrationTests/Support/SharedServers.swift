import PgConnection
import Testing
import ThrowawayServer

/// The live migrations: one test after the other, because each keeps both cores of a small machine busy.
@Suite(.serialized) enum LiveMigrations {}

extension Servers {
    /// The oldest and the newest of the versions at hand: what lies between them differs from neither in what is tested here.
    static func outermost() async throws -> [ServerBinaries] {
        let all = try await all()
        let oldest = try #require(all.first, "there is no PostgreSQL server to test on: run tools/servers")
        let newest = try #require(all.last)
        return oldest == newest ? [oldest] : [oldest, newest]
    }
}

/// One server for each version and process. It ends with the process.
actor SharedServers {
    private static let shared = SharedServers()
    private var starting: [ServerBinaries: Task<ThrowawayServer, any Error>] = [:]

    static func server(_ binaries: ServerBinaries) async throws -> ThrowawayServer {
        try await shared.task(for: binaries).value
    }

    private func task(for binaries: ServerBinaries) -> Task<ThrowawayServer, any Error> {
        if let task = starting[binaries] { return task }
        let task = Task { try await ThrowawayServer.start(binaries) }
        starting[binaries] = task
        return task
    }
}
