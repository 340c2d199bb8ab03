import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

/// The table of the guards' tests, and a network between the tool and its server. The tests themselves go round it.
enum Proxied {
    enum Moment: String, Sendable, CaseIterable {
        case copying, ready, baking
    }

    /// So little that a test may wait for it, and more than a loaded machine makes of an answer.
    static let patience = Duration.milliseconds(1500)

    static func impatient(_ options: MigrationOptions) -> MigrationOptions {
        var options = options
        options.networkPatience = patience
        return options
    }

    static func create(_ name: String, on binaries: ServerBinaries) async throws -> (Items, NetworkProxy) {
        let server = try await ThrowawayServer.start(
            binaries, settings: ["listen_addresses": "127.0.0.1", "wal_sender_timeout": "10s"])
        return (try await Items.create(name, in: server), try NetworkProxy(to: server.port))
    }

    static func run(
        _ request: MigrationRequest, _ items: Items, _ proxy: NetworkProxy, _ options: MigrationOptions
    ) -> RunningMigration {
        let conninfo =
            "host=127.0.0.1 port=\(proxy.port) user=postgres dbname=\(items.database.name) connect_timeout=4 sslmode=disable"
        return RunningMigration(request, connections: ConnectionOptions(conninfo: conninfo), options: options)
    }

    /// The server has noticed that the tool is gone.
    static func expectNoSessions(_ items: Items) async throws {
        try await eventually("no session of the tool's is left") {
            try await items.session.isTrue(
                "NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'shadow-alter %')")
        }
    }

    static func finish(_ items: Items, _ proxy: NetworkProxy) async throws {
        try await items.finish()
        proxy.end()
        try await items.database.server.stop()
    }
}
