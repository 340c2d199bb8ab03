import PgConnection
import TestSupport
import Testing
import ThrowawayServer

@Suite struct TransactionTests {
    private struct Refusal: Error {}

    @Test(arguments: try await TestServers.all())
    func commitsOrRollsBack(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        try await connection.execute("CREATE TABLE tx (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
        let value = try await connection.transaction { tx in
            try tx.execute("INSERT INTO tx VALUES (1)")
            return 7
        }
        #expect(value == 7)
        await #expect(throws: Refusal.self) {
            try await connection.transaction { tx in
                try tx.execute("INSERT INTO tx VALUES (2)")
                throw Refusal()
            }
        }
        _ = try await connection.rolledBackTransaction { try $0.execute("INSERT INTO tx VALUES (3)") }
        // Refused only by the COMMIT itself.
        let deferred = await pgError {
            try await connection.transaction { _ = try $0.execute("INSERT INTO tx VALUES (1)") }
        }
        #expect(deferred?.sqlState == .uniqueViolation)
        // An error that the body keeps to itself.
        let hidden = await pgError {
            try await connection.transaction { tx in
                try tx.execute("INSERT INTO tx VALUES (4)")
                _ = try? tx.execute("SELECT nope")
            }
        }
        #expect(hidden?.code == .unexpectedResult)
        // A body that ends the transaction itself.
        let ended = await pgError { try await connection.transaction { _ = try $0.execute("ROLLBACK") } }
        #expect(ended?.code == .unexpectedResult)
        #expect(try await connection.execute("SELECT array_agg(a) FROM tx").single().value() == [1])
    }

    @Test(arguments: try await TestServers.all())
    func aTransactionInsideATransactionIsRefused(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        try await connection.execute("BEGIN; CREATE TABLE nested ()")
        let error = await pgError { try await connection.transaction { _ = try $0.execute("SELECT 1") } }
        #expect(error?.code == .unexpectedResult)
        try await connection.execute("ROLLBACK")
        #expect(try await connection.execute("SELECT to_regclass('nested') IS NULL").single().value() == true)
    }

    @Test(arguments: try await TestServers.all())
    func aLostCommitIsUnknown(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        let pid = connection.backendPID
        try await connection.execute(
            """
            CREATE TABLE lost_commit (a int);
            CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON lost_commit DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION wait_at_commit();
            """)
        async let error = pgError {
            try await connection.transaction { _ = try $0.execute("INSERT INTO lost_commit VALUES (1)") }
        }
        try await terminate(pid, whenItRuns: "COMMIT", version)
        #expect(await error?.code == .commitOutcomeUnknown)
        #expect(await error?.isConnectionLoss == true)
    }

    @Test(arguments: try await TestServers.all())
    func aBackendThatIsTerminatedIsAConnectionLoss(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        async let error = pgError { try await connection.transaction { _ = try $0.execute("SELECT pg_sleep(600)") } }
        try await terminate(connection.backendPID, whenItRuns: "SELECT pg_sleep(600)", version)
        #expect(await error?.isConnectionLoss == true)
        #expect(await error?.code != .commitOutcomeUnknown)
        #expect(await error?.message.contains("terminating connection") == true)
        let next = await pgError { try await connection.execute("SELECT 1") }
        #expect(next?.isConnectionLoss == true)
        await connection.close()
        let closed = await pgError { try await connection.transaction { _ = try $0.execute("SELECT 1") } }
        #expect(closed?.code == .connectionLost)
    }

    private func terminate(_ pid: Int32, whenItRuns query: String, _ version: ServerBinaries) async throws {
        let other = try await connect(version)
        try await eventually("\(query) is active") {
            try await other.query(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query = $2)",
                [.int(pid), .text(query)]
            ).single().value()
        }
        try await other.query("SELECT pg_terminate_backend($1)", [.int(pid)])
    }
}
