import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations.BadData {
    /// Values that a unique index of the new table allows once, and several rows have.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct DuplicateTests {
        private static let setup = """
            CREATE TABLE item (id int PRIMARY KEY, code text NOT NULL, v text, n int) WITH (autovacuum_enabled = off);
            INSERT INTO item SELECT n, 'code ' || n, CASE WHEN n % 2 = 0 THEN 'v ' || n END, n FROM generate_series(1, 3000) n;
            """

        struct Case: Sendable, CustomTestStringConvertible {
            let clauses: String
            let spoil: String
            let mend: String
            let texts: [String]
            var testDescription: String { clauses }
        }

        private static let cases = [
            Case(
                clauses: "ALTER id TYPE bigint, ADD CONSTRAINT item_code_key UNIQUE (code)",
                spoil: "UPDATE item SET code = 'twice' WHERE id IN (7, 2900)",
                mend: "UPDATE item SET code = 'once' WHERE id = 7",
                texts: ["code = 'twice' in 2 rows (id = '2900'; id = '7')"]),
            // The mapping makes them equal.
            Case(
                clauses: "ALTER code TYPE text USING left(code, 7), ADD CONSTRAINT item_code_key UNIQUE (code, v)",
                spoil: "UPDATE item SET v = 'same' WHERE id IN (1000, 1001, 1002)",
                mend: "UPDATE item SET v = 'same ' || id WHERE id IN (1000, 1001, 1002)",
                texts: ["code = 'code 10', v = 'same' in 3 rows (id = '1000'; id = '1001'; id = '1002')"]),
        ]

        @Test(arguments: try await Servers.outermost(), cases)
        func duplicatesAreNamedAndTheRunGoesOn(_ binaries: ServerBinaries, _ bad: Case) async throws {
            let database = try await TestDatabase.create("duplicates", on: binaries)
            try await database.psql(Self.setup + bad.spoil)
            let session = try await TestSession(database)
            let request = MigrationRequest("item", bad.clauses)
            let (_, findings) = try await DataCheck(connections: database.options).run(request)
            #expect(findings.duplicates.map(\.index) == ["item_code_key"], "\(findings)")
            #expect(findings.duplicates[0].total == 1 && findings.duplicates[0].values.map(\.text) == bad.texts)
            #expect(findings.notChecked == [])
            try await Remains(session: session).expectNothing()

            let error = try #require(await RunningMigration(request, database, .quick).failure() as? MigrationError)
            #expect(error.code == .badData && error.message.contains("item_code_key"), "\(error)")
            for text in bad.texts { #expect(error.message.contains(text), "\(error)") }
            let again = try #require(await RunningMigration(request, database, .quick).failure() as? MigrationError)
            #expect(again.message == error.message)
            // What is mended while the run is dead is all that the next one needs.
            try await session.execute("INSERT INTO item VALUES (9000, 'the application', 'goes on', 1)")
            try await session.execute(bad.mend)
            let summary = try await RunningMigration(request, database, .quick).summary()
            #expect(!summary.timings.contains { $0.phase == Phase.copying.rawValue })
            #expect(try await session.isTrue("(SELECT count(*) = 3001 FROM item)"))
            let (_, clean) = try await DataCheck(connections: database.options).run(
                MigrationRequest("item", "ALTER n TYPE bigint", name: "other"))
            #expect(clean.isEmpty && clean.duplicates.isEmpty, "\(clean)")
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// What is no duplicate: NULLs, rows outside of a partial index; what is one: NULLs that are not distinct, expressions.
        @Test(arguments: try await Servers.outermost())
        func theIndexSaysWhatIsADuplicate(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("duplicates_kinds", on: binaries)
            try await database.psql(
                Self.setup
                    + "UPDATE item SET v = 'both' WHERE id IN (4, 6); UPDATE item SET code = upper(code) WHERE id = 8;")
            let script = """
                ALTER TABLE item ALTER v TYPE varchar(50), ALTER code TYPE varchar(50);
                CREATE UNIQUE INDEX all_v ON item (v);
                CREATE UNIQUE INDEX some_v ON item (v) WHERE n > 5;
                CREATE UNIQUE INDEX folded ON item (lower(code));
                CREATE UNIQUE INDEX strict ON item (v) NULLS NOT DISTINCT WHERE n < 4;
                """
            let (_, findings) = try await DataCheck(connections: database.options).run(
                MigrationRequest(change: .script(script)))
            let found = Dictionary(uniqueKeysWithValues: findings.duplicates.map { ($0.index, $0.values.map(\.text)) })
            #expect(found["all_v"] == ["v = 'both' in 2 rows (id = '4'; id = '6')"], "\(findings)")
            #expect(found["some_v"] == [] && found["folded"] == [])
            #expect(found["strict"] == ["v = NULL in 2 rows (id = '1'; id = '3')"])
            let refusals = findings.refusals
            #expect(refusals.map(\.code) == ["duplicates", "duplicates"])
        }
    }
}
