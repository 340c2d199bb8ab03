import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Every kind of change under a load that does to the table all that applications do.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct MigrationCaseTests {
        @Test(arguments: try await Servers.outermost(), try MigrationCase.all())
        func theLoadNoticesNothing(_ binaries: ServerBinaries, _ migrationCase: MigrationCase) async throws {
            try await CaseRun(migrationCase, binaries).run()
        }

        @Test func everyDirectoryIsACase() throws {
            #expect(try MigrationCase.directories() == MigrationCase.all().map(\.name).sorted())
        }
    }
}

/// One case on one server: with the load before, during and after the migration, and a twin that is changed natively.
private struct CaseRun {
    let migrationCase: MigrationCase
    let binaries: ServerBinaries

    /// So much is done before the migration begins, and again after its end.
    private static let operationsBesides = 150

    init(_ migrationCase: MigrationCase, _ binaries: ServerBinaries) {
        self.migrationCase = migrationCase
        self.binaries = binaries
    }

    func run() async throws {
        let setup = try #require(migrationCase.sql(.setup))
        let clauses = try #require(migrationCase.sql(.alter))
        let database = try await TestDatabase.create("case_\(migrationCase.name)", on: binaries)
        try await database.psql(setup)
        let report = try await migrate(clauses, database)
        let twin = try await TestDatabase.create("twin_\(migrationCase.name)", on: binaries)
        try await twin.psql(setup)
        if !clauses.isEmpty { try await twin.psql("ALTER TABLE orders \(clauses)") }
        try await expectSameDefinition(database, twin)
        try await expectFacts(database, report)
        let session = try await TestSession(database)
        try await Remains(session: session).expectOnlyBlue("orders")
        try await Finalize(connections: database.options).run("orders")
        try await Remains(session: session).expectNothing()
        await session.close()
    }

    private func migrate(_ clauses: String, _ database: TestDatabase) async throws -> WorkloadReport {
        let workload = try await Workload.start(
            table: migrationCase.table, options: database.options,
            settings: WorkloadSettings(
                seed: try WorkloadSeed.choose(), clients: 3, rate: 100, rowsPerClient: 900, adoptedRows: 1500),
            announce: { print("\(binaries), \(migrationCase): \($0)") })
        let live = LiveStatements(migrationCase.sql(.live), database)
        do {
            try await proceed(workload)
            let before = workload.progress.operations
            let running = RunningMigration(
                MigrationRequest("public.orders", clauses, strategy: migrationCase.isForced ? .shadow : .auto),
                database,
                .unhurried)
            let summary = try await running.summary()
            #expect(workload.progress.operations > before, "the load stood still during the migration")
            #expect(summary.strategy == .shadow)
            #expect(summary.verify.outcome == .passed && summary.verify.rowsChecked > 0, "\(summary.verify)")
            #expect(summary.keysRefreshed > 0, "no row was changed during the migration")
            try await proceed(workload)
            try await live.stop()
        } catch {
            await workload.stop()
            throw error
        }
        let report = await workload.stop()
        #expect(report.errorCount == 0, "\(binaries), \(migrationCase): \(report)")
        let found = try await workload.verify(on: database.options, canonical: .after)
        #expect(found.isEmpty, "\(binaries), \(migrationCase), seed \(report.seed): \(found.count), \(found.prefix(5))")
        return report
    }

    private func proceed(_ workload: Workload) async throws {
        let start = workload.progress.operations
        try await eventually("the load goes on") {
            workload.progress.operations >= start + Self.operationsBesides || workload.progress.errors > 0
        }
    }

    /// What pg_dump says of the table is what it says of one that PostgreSQL has changed itself.
    private func expectSameDefinition(_ database: TestDatabase, _ twin: TestDatabase) async throws {
        var dumps: [[String]] = []
        for name in [database.name, twin.name] {
            let dump = try await database.server.dump(database: name, arguments: ["--table=public.orders"])
            dumps.append(dump.split(separator: "\n").map(String.init))
        }
        let difference = dumps[0].difference(from: dumps[1])
        #expect(
            difference.isEmpty,
            "\(binaries), \(migrationCase): against a native ALTER TABLE pg_dump differs by \(difference)")
    }

    private func expectFacts(_ database: TestDatabase, _ report: WorkloadReport) async throws {
        let facts = try await database.psql(try #require(migrationCase.sql(.expect))).split(separator: "\n")
        #expect(!facts.isEmpty)
        for fact in facts { #expect(fact.hasSuffix("|t"), "\(binaries), \(migrationCase): \(fact)") }
    }
}

/// A case's own statements, one execution after the other, until they are told to stop.
private final class LiveStatements: Sendable {
    private let task: Task<Void, any Error>?

    init(_ sql: String?, _ database: TestDatabase) {
        task = sql.map { sql in
            Task {
                let session = try await TestSession(database)
                while !Task.isCancelled {
                    try await session.execute(sql)
                    // The machine is the other tests' as well.
                    try? await Task.sleep(for: .milliseconds(5))
                }
                await session.close()
            }
        }
    }

    /// Throws the error of a statement that has failed.
    func stop() async throws {
        task?.cancel()
        try await task?.value
    }
}
