import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// Servers that the planner's tests share, one per version, and a database for each test.
actor PlanServers {
    static let shared = PlanServers()
    private var servers: [Int: Task<ThrowawayServer, any Error>] = [:]
    private var count = 0

    struct NoneFound: Error, CustomStringConvertible {
        let description = "no PostgreSQL server found; run tools/test, or eval and export `tools/servers --env`"
    }

    /// The oldest and the newest version at hand.
    static func outermost() async throws -> [ServerBinaries] {
        let all = try await ServerBinaries.available()
        guard let oldest = all.first, let newest = all.last else { throw NoneFound() }
        return oldest == newest ? [oldest] : [oldest, newest]
    }

    /// Runs `body` on a new database of the oldest and of the newest version.
    static func each(setup: String, _ body: @Sendable (PlanDatabase) async throws -> Void) async throws {
        for binaries in try await outermost() {
            let database = try await shared.database(binaries)
            let connection = try await PgConnection.connect(database.options)
            try await connection.execute(setup)
            await connection.close()
            try await body(database)
        }
    }

    private func database(_ binaries: ServerBinaries) async throws -> PlanDatabase {
        let task =
            servers[binaries.majorVersion] ?? Task { try await ThrowawayServer.start(binaries) }
        servers[binaries.majorVersion] = task
        let server = try await task.value
        count += 1
        let name = "plan_\(count)"
        try await server.createDatabase(name)
        return PlanDatabase(server: server, name: name)
    }
}

/// A test's own database.
struct PlanDatabase: Sendable {
    let server: ThrowawayServer
    let name: String
    var version: Int { server.version }
    var options: ConnectionOptions { ConnectionOptions(conninfo: server.conninfo(database: name)) }

    func text(_ sql: String) async throws -> String? {
        let connection = try await PgConnection.connect(options)
        let text = try await connection.run { try $0.query(sql).first?.text(0) }
        await connection.close()
        return text
    }

    func execute(_ sql: String) async throws {
        let connection = try await PgConnection.connect(options)
        try await connection.execute(sql)
        await connection.close()
    }

    /// Plans and leaves nothing behind, and makes sure of that.
    func dryRun(
        _ clauses: String, table: String = "orders", name: String? = nil,
        strategy: MigrationRequest.Strategy = .auto
    ) async throws -> MigrationPlan {
        try await dryRun(
            MigrationRequest(change: .alter(table: table, clauses: clauses), name: name, strategy: strategy))
    }

    func dryRun(_ request: MigrationRequest) async throws -> MigrationPlan {
        let control = try await PgConnection.connect(options)
        let before = try await Untouched.state(control)
        do {
            let plan = try await Planning.dryRun(request, connections: options)
            #expect(try await Untouched.state(control).difference(from: before).isEmpty)
            await control.close()
            return plan
        } catch {
            let difference = try await Untouched.state(control).difference(from: before)
            #expect(difference.isEmpty, "something is left after: \(error)")
            await control.close()
            throw error
        }
    }

    /// The refusals of a request that must be refused.
    func refusals(
        _ clauses: String, table: String = "orders", name: String? = nil,
        strategy: MigrationRequest.Strategy = .auto, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Refusal] {
        try await refusals(
            MigrationRequest(change: .alter(table: table, clauses: clauses), name: name, strategy: strategy),
            sourceLocation: sourceLocation)
    }

    func refusals(
        _ request: MigrationRequest, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Refusal] {
        let control = try await PgConnection.connect(options)
        let refusals = try await Untouched.refusals(
            request, connections: options, control: control, sourceLocation: sourceLocation)
        await control.close()
        return refusals
    }
}
