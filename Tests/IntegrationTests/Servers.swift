import PgConnection
import ThrowawayServer

/// The servers that every integration test runs on: all that `SHADOW_ALTER_SERVERS` names.
enum Servers {
    static func all() async throws -> [ServerBinaries] {
        try await ServerBinaries.available()
    }
}

extension ThrowawayServer {
    var options: ConnectionOptions { ConnectionOptions(conninfo: conninfo()) }
}
