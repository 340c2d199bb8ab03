import PgConnection
import ThrowawayServer

@testable import LedgerWorkload

/// The servers to test on. Asking for them fails, and does not skip, when there is none.
enum Servers {
    /// The oldest and the newest of the versions at hand.
    static func outermost() async throws -> [ServerBinaries] {
        let all = try await ServerBinaries.available()
        guard let oldest = all.first, let newest = all.last else {
            throw WorkloadError("there is no PostgreSQL server to test on. Nothing was tested. Run tools/servers.")
        }
        return oldest == newest ? [oldest] : [oldest, newest]
    }
}

extension ThrowawayServer {
    var options: ConnectionOptions { ConnectionOptions(conninfo: conninfo()) }
}
