import PgConnection
import Synchronization
import TestSupport
import Testing
import ThrowawayServer

@Suite struct ErrorTests {
    @Test(arguments: try await TestServers.all())
    func fieldsOfAnError(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        try await connection.execute("CREATE TABLE error_fields (a int CONSTRAINT positive CHECK (a > 0))")
        let error = try #require(await pgError { try await connection.execute("INSERT INTO error_fields VALUES (-1)") })
        #expect(error.sqlState == .checkViolation)
        #expect(error.schemaName == "public")
        #expect(error.tableName == "error_fields")
        #expect(error.constraintName == "positive")
        #expect(error.detail?.contains("-1") == true)
        #expect(!error.isFatal)
        #expect(!error.isConnectionLoss)
    }

    @Test(arguments: [
        ("SELECT 'é',\n  nope", "LINE 2:   nope\n          ^"),
        ("SELECT 'e\u{301}\u{301}', nope", nil),
        ("SELECT 1,\r\n nope", "LINE 2:  nope\n         ^"),
        ("SELECT", nil),
        ("SELECT (", "LINE 1: SELECT (\n                ^"),
    ])
    func pointerToThePosition(_ sql: String, _ expected: String?) async throws {
        for version in try await TestServers.all() {
            let connection = try await connect(version)
            let error = await pgError { try await connection.execute(sql) }
            if let expected {
                #expect(error?.pointer == expected)
            } else if let position = error?.position, let pointer = error?.pointer {
                // The caret stands below the scalar that the position counts to.
                let lines = pointer.unicodeScalars.split(separator: "\n")
                #expect(lines.last?.count == "LINE 1: ".count + position)
            }
        }
    }

    @Test(arguments: try await TestServers.all())
    func failureToConnectSaysWhere(_ version: ServerBinaries) async throws {
        let server = try await TestServers.shared.server(version)
        let options = ConnectionOptions(
            conninfo: "host=\(server.socketDirectory) port=\(server.port) dbname=nowhere user=postgres")
        let error = try #require(await pgError { _ = try await PgConnection.connect(options) })
        #expect(error.code == .connectionFailed)
        #expect(error.message.contains("database \"nowhere\" does not exist"))
        #expect(error.isConnectionLoss)
        let nobody = await pgError {
            _ = try await PgConnection.connect(ConnectionOptions(conninfo: "host=/nonexistent port=1 dbname=x user=y"))
        }
        #expect(nobody?.message.contains("/nonexistent") == true)
    }

    @Test(arguments: try await TestServers.all())
    func uriAsConninfo(_ version: ServerBinaries) async throws {
        let server = try await TestServers.shared.server(version)
        let options = ConnectionOptions(
            conninfo: "postgresql://postgres@/postgres?host=\(server.socketDirectory)&port=\(server.port)"
                + "&application_name=other&client_encoding=latin1", applicationName: "ours")
        let connection = try await PgConnection.connect(options)
        let row = try await connection.execute(
            "SELECT current_setting('application_name') AS a, current_setting('client_encoding') AS b"
        ).single()
        #expect(try row.get("a") == "ours")
        #expect(try row.get("b") == "UTF8")
    }

    @Test(arguments: try await TestServers.all())
    func noticesArrive(_ version: ServerBinaries) async throws {
        let seen = Seen()
        let connection = try await connect(version, onNotice: { notice in seen.notices.withLock { $0.append(notice) } })
        try await connection.execute("DO $$ BEGIN RAISE WARNING 'one'; RAISE NOTICE 'two'; END $$")
        let notices = seen.notices.withLock { $0 }
        #expect(notices.map(\.severity) == ["WARNING", "NOTICE"])
        #expect(notices.map(\.message) == ["one", "two"])
    }

    private final class Seen: Sendable {
        let notices = Mutex<[PgNotice]>([])
    }

    @Test(arguments: try await TestServers.all())
    func settingsWinOverTheRolesDefaults(_ version: ServerBinaries) async throws {
        let admin = try await connect(version)
        try await admin.execute(
            """
            CREATE ROLE defaults LOGIN SUPERUSER;
            ALTER ROLE defaults SET default_transaction_read_only = on;
            ALTER ROLE defaults SET statement_timeout = '1h';
            ALTER ROLE defaults SET search_path = 'it''s, \\ odd';
            """)
        let plain = try await connect(version, user: "defaults")
        let error = await pgError { try await plain.execute("CREATE TABLE settings_t ()") }
        #expect(error?.sqlState == .readOnlyTransaction)
        let ours = try await connect(
            version, user: "defaults",
            settings: ["default_transaction_read_only": "off", "statement_timeout": "0", "search_path": "public"])
        try await ours.execute("CREATE TABLE settings_t ()")
        #expect(try await ours.execute("SHOW statement_timeout").single().value() == "0")
        let refused = await pgError { _ = try await connect(version, settings: ["statement_timeout": "soon"]) }
        #expect(refused?.sqlState == SQLState(rawValue: "22023"))
    }
}
