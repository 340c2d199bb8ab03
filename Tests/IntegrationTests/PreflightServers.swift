import Logging
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// One after the other: they compare what all databases of a server share, before and after.
@Suite(.serialized)
enum PreflightTests {}

/// A server per version for all tests of preflight. They end with this process.
actor PreflightServers {
    static let shared = PreflightServers()

    private var starting: [ServerBinaries: Task<ThrowawayServer, any Error>] = [:]

    private func server(_ binaries: ServerBinaries) async throws -> ThrowawayServer {
        let task =
            starting[binaries]
            ?? Task {
                // Nobody but the tests changes a catalog.
                try await ThrowawayServer.start(binaries, settings: ["autovacuum": "off"])
            }
        starting[binaries] = task
        return try await task.value
    }

    /// All versions, a new database on each.
    static func databases(named name: String) async throws -> [PreflightDatabase] {
        let binaries = try await Servers.all()
        #expect(!binaries.isEmpty)
        var databases: [PreflightDatabase] = []
        for binary in binaries {
            let server = try await shared.server(binary)
            try await server.createDatabase(name)
            databases.append(PreflightDatabase(server: server, name: name))
        }
        return databases
    }
}

/// A database, and the two ways in which a refusal is met.
struct PreflightDatabase: Sendable {
    let server: ThrowawayServer
    let name: String

    func options(user: String = "postgres") -> ConnectionOptions {
        ConnectionOptions(conninfo: server.conninfo(database: name, user: user))
    }

    /// A superuser who may edit catalogs: some states cannot be had otherwise without a failing disk or another
    /// product.
    func connect() async throws -> PgConnection {
        try await PgConnection.connect(
            options().with(["allow_system_table_mods": "on", "client_min_messages": "error"]))
    }

    /// What `plan` and `run` are refused for.
    func refusals(
        _ table: String, name: String? = nil, user: String = "postgres", _ control: PgConnection,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Refusal] {
        let request = MigrationRequest(change: .alter(table: table, clauses: "ADD COLUMN note text"), name: name)
        return try await Untouched.refusals(
            request, connections: options(user: user), control: control, sourceLocation: sourceLocation)
    }
}
