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

    /// What `plan` and `run` are refused for: the same by both, and neither leaves a trace. nil: not refused.
    func refusals(
        _ table: String, name: String? = nil, user: String = "postgres", _ control: PgConnection
    ) async throws -> [Refusal] {
        let request = MigrationRequest(change: .alter(table: table, clauses: "ADD COLUMN note text"), name: name)
        let before = try await Self.digest(control)
        var planned: [Refusal] = []
        do {
            _ = try await Planning.dryRun(request, connections: options(user: user))
        } catch let refused as Refused {
            planned = refused.refusals
        }
        #expect(try await Self.digest(control) == before, "plan has left something behind")
        do {
            _ = try await Migration(
                request, connections: options(user: user), options: MigrationOptions(), log: Logger(label: "preflight")
            ).run()
            Issue.record("the migration of \(table) was not refused on \(server)")
        } catch let refused as Refused {
            #expect(refused.refusals == planned)
        }
        #expect(try await Self.digest(control) == before, "run has touched something")
        return planned
    }

    /// Everything in the catalogs that a migration would create or change, and all slots of the server.
    ///
    /// Every committed change of a catalog's row leaves another place or another transaction behind it.
    static func digest(_ connection: PgConnection) async throws -> String {
        let catalogs = [
            "pg_class", "pg_namespace", "pg_attribute", "pg_depend", "pg_shdepend", "pg_constraint", "pg_index",
            "pg_trigger", "pg_publication", "pg_publication_rel", "pg_type", "pg_proc", "pg_authid", "pg_sequence",
            "pg_replication_origin", "pg_db_role_setting", "pg_description", "pg_rewrite", "pg_policy",
        ]
        let sums = catalogs.map { catalog in
            "(SELECT count(*) || ':' || coalesce(sum(hashtextextended(ctid::text || xmin::text, 0)), 0) FROM \(catalog))"
        }
        let slots =
            "(SELECT string_agg(concat_ws(' ', slot_name, plugin, database), ',' ORDER BY slot_name) FROM "
            + "pg_replication_slots)"
        return try await connection.query("SELECT concat_ws(' ', \((sums + [slots]).joined(separator: ", ")))")
            .single().value()
    }
}
