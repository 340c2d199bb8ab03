import PgConnection
import Testing
import ThrowawayServer

@testable import LedgerWorkload

/// What a cut-over does, by hand and while the load runs: another table takes over the name.
@Suite(.timeLimit(.minutes(5)))
struct SwapTests {
    private let name = Shop.integer.name

    private func copy(_ schema: String) -> String {
        """
        CREATE TABLE \(schema).\(Quoting.identifier(name.name)) (LIKE \(name.sql) INCLUDING ALL);
        ALTER TABLE \(schema).\(Quoting.identifier(name.name)) ALTER id TYPE bigint, ALTER note TYPE text,
            ALTER mood TYPE text;
        INSERT INTO \(schema).\(Quoting.identifier(name.name)) TABLE \(name.sql);
        """
    }

    private func swap(_ green: String, _ blue: String) -> String {
        """
        ALTER TABLE \(name.sql) SET SCHEMA \(blue);
        ALTER TABLE \(green).\(Quoting.identifier(name.name)) SET SCHEMA public;
        """
    }

    private func start(_ server: ThrowawayServer) async throws -> Workload {
        try await server.psql(Shop.integer.setup(rows: 300) + "CREATE SCHEMA green; CREATE SCHEMA blue;")
        return try await Workload.start(
            table: try Shop.integer.table(), options: server.options,
            settings: WorkloadSettings(seed: try WorkloadSeed.choose(), clients: 4, rowsPerClient: 400))
    }

    private func runOn(_ workload: Workload) async throws {
        let before = workload.progress.operations
        while workload.progress.operations < before + 200 { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test func aCorrectSwapIsNotNoticed() async throws {
        for binaries in try await Servers.outermost() {
            let server = try await ThrowawayServer.start(binaries)
            let workload = try await start(server)
            try await runOn(workload)
            let began = MonotonicTime.now
            try await server.psql(
                """
                BEGIN; LOCK TABLE \(name.sql); \(copy("green"))
                DO $$ BEGIN
                    WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted) LOOP PERFORM pg_sleep(0.001); END LOOP;
                END $$;
                SELECT pg_sleep(0.05); \(swap("green", "blue")) COMMIT;
                """)
            let ended = MonotonicTime.now
            try await runOn(workload)
            let report = await workload.stop()
            #expect(report.errorCount == 0, "\(binaries): \(report)")
            // Somebody waited for the lock already when the 50 ms began.
            let wait = try #require(report.longestWait(from: began, to: ended))
            #expect(wait.nanoseconds >= 50_000_000)
            let found = try await workload.verify(on: server.options, canonical: .after)
            #expect(found.isEmpty, "\(binaries), seed \(report.seed): \(found.prefix(5))")
            try await server.stop()
        }
    }

    /// Writes between the copy and the lock are lost. That is what all of this is there to find.
    @Test func aSwapThatLosesWritesIsFound() async throws {
        for binaries in try await Servers.outermost() {
            let server = try await ThrowawayServer.start(binaries)
            let workload = try await start(server)
            try await runOn(workload)
            try await server.psql(copy("green"))
            try await runOn(workload)
            try await server.psql("BEGIN; LOCK TABLE \(name.sql); \(swap("green", "blue")) COMMIT;")
            await workload.stop()
            let kinds = Set(try await workload.verify(on: server.options, canonical: .after).map(\.kind))
            #expect(kinds.isSuperset(of: [.missing, .changed, .unexpected]), "\(binaries): \(kinds)")
            try await server.stop()
        }
    }
}
