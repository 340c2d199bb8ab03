import PgConnection
import ThrowawayServer

/// A database that belongs to one test.
struct TestDatabase: Sendable {
    let server: ThrowawayServer
    let name: String

    /// Makes an empty database on the version's shared server.
    static func create(_ name: String, on binaries: ServerBinaries) async throws -> Self {
        try await create(name, in: SharedServers.server(binaries))
    }

    /// Replaces a database that an earlier test of the same name left on this server.
    static func create(_ name: String, in server: ThrowawayServer) async throws -> Self {
        try await server.psql("DROP DATABASE IF EXISTS \(Quoting.identifier(name)) WITH (FORCE)")
        try await server.createDatabase(name)
        return Self(server: server, name: name)
    }

    var options: ConnectionOptions {
        ConnectionOptions(conninfo: server.conninfo(database: name), applicationName: "test")
    }

    /// As another role.
    func options(user: String) -> ConnectionOptions {
        ConnectionOptions(conninfo: server.conninfo(database: name, user: user), applicationName: "test")
    }

    @discardableResult
    func psql(_ sql: String) async throws -> String {
        try await server.psql(sql, database: name)
    }

    /// A session of its own, as an application would have it.
    func connect(_ applicationName: String = "application") async throws -> PgConnection {
        try await PgConnection.connect(options.with([:], applicationName: applicationName))
    }
}

/// A session that lives for the length of a test, with the short forms that tests need.
struct TestSession: Sendable {
    let connection: PgConnection

    init(_ database: TestDatabase, _ applicationName: String = "application", user: String? = nil) async throws {
        let options = user.map(database.options(user:)) ?? database.options
        connection = try await PgConnection.connect(options.with([:], applicationName: applicationName))
        // A test that waits for itself ends with an error and not with the machine's patience.
        try await connection.execute("SET statement_timeout = '150s'")
    }

    var pid: Int32 { connection.backendPID }

    @discardableResult
    func execute(_ sql: String) async throws -> PgResult {
        try await connection.execute(sql)
    }

    /// The only value of the only row.
    func value<Value: PgDecodable & Sendable>(_ sql: String, as type: Value.Type = Value.self) async throws -> Value {
        try await connection.run { try $0.execute(sql).single().value() }
    }

    /// The first column of every row.
    func column(_ sql: String) async throws -> [String] {
        try await connection.run { connection in try connection.execute(sql).rows.map { $0.text(0) ?? "NULL" } }
    }

    func isTrue(_ condition: String) async throws -> Bool {
        try await value("SELECT coalesce((\(condition)), false)")
    }

    func close() async {
        await connection.close()
    }
}
