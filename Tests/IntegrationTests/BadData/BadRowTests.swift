import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    @Suite(.serialized, .timeLimit(.minutes(10))) enum BadData {}
}

extension LiveMigrations.BadData {
    /// Rows that the new definition does not take are found and named; the same command goes on once they are mended.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct BadRowTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let name: String
            let clauses: String
            /// Makes the row with `id` 3000 bad.
            let spoil: String
            let mend: String
            /// What is said of row 3000.
            let text: String
            var testDescription: String { name }
        }

        static let cases = [
            Case(
                name: "cast", clauses: "ALTER code TYPE int USING code::int", spoil: "SET code = 'no number'",
                mend: "SET code = '7'",
                text: "row id = '3000', code 'no number': invalid input syntax for type integer: \"no number\""),
            Case(
                name: "length", clauses: "ALTER code TYPE varchar(6)", spoil: "SET code = repeat('long ', 20)",
                mend: "SET code = '7'",
                text:
                    "row id = '3000', code 'long long long long long long long long '...: value too long for type character varying(6)"
            ),
            Case(
                name: "overflow", clauses: "ALTER n TYPE smallint", spoil: "SET n = 40000", mend: "SET n = 4",
                text: "row id = '3000', n '40000': smallint out of range"),
            Case(
                name: "numeric", clauses: "ALTER n TYPE numeric(5,2)", spoil: "SET n = 1000", mend: "SET n = 4",
                text: "row id = '3000', n '1000': numeric field overflow"),
            Case(
                name: "not null", clauses: "ALTER id TYPE bigint, ALTER v SET NOT NULL", spoil: "SET v = NULL",
                mend: "SET v = ''",
                text:
                    "row id = '3000', v NULL: null value in column \"v\" of relation \"item\" violates not-null constraint"
            ),
            Case(
                name: "check", clauses: "ALTER id TYPE bigint, ADD CONSTRAINT small CHECK (n < 100 OR v = 'large')",
                spoil: "SET n = 100", mend: "SET v = 'large'",
                text:
                    "row id = '3000', v 'v', n '100': new row for relation \"item\" violates check constraint \"small\""
            ),
            Case(
                name: "domain", clauses: "ALTER id TYPE bigint, ALTER v TYPE word", spoil: "SET v = 'two words'",
                mend: "SET v = 'one'",
                text: "row id = '3000', v 'two words': value for domain word violates check constraint \"word_check\""),
        ]

        /// 5,000 rows in some dozens of pages.
        static let setup = """
            CREATE DOMAIN word AS text CHECK (VALUE !~ ' ');
            CREATE TABLE item (id int PRIMARY KEY, code text, v text, n int, filler text) WITH (autovacuum_enabled = off);
            INSERT INTO item SELECT n, (n % 100)::text, 'v', 1, repeat(md5(n::text), 2) FROM generate_series(1, 5000) n;
            """

        @Test(arguments: try await Servers.outermost(), cases)
        func aRowThatIsThereIsNamedAndTheCopyGoesOn(_ binaries: ServerBinaries, _ bad: Case) async throws {
            let database = try await TestDatabase.create("bad_copy", on: binaries)
            try await database.psql(Self.setup)
            let session = try await TestSession(database)
            try await session.execute("UPDATE item \(bad.spoil) WHERE id = 3000")
            let request = MigrationRequest("item", bad.clauses)
            // Beforehand: the same row, and nothing is left.
            let (_, findings) = try await DataCheck(connections: database.options).run(request)
            #expect(findings.tables.map(\.total) == [1] && findings.tables[0].rowsChecked == 5000, "\(findings)")
            #expect(findings.tables[0].rows.map(\.text) == [bad.text])
            try await Remains(session: session).expectNothing()

            let running = RunningMigration(request, database, .pageByPage)
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .badData && error.message.contains("1 row of public.item: \(bad.text)"), "\(error)")
            #expect(running.log.contains("cannot be had in its new form: public.item, \(bad.text)"))
            // The application goes on, and mends it.
            try await session.execute("INSERT INTO item VALUES (9000, '1', 'v', 1)")
            try await session.execute("UPDATE item \(bad.mend) WHERE id = 3000")
            try await session.execute("CREATE TABLE copied AS SELECT * FROM shadow_alter.chunk")
            #expect(try await session.isTrue("(SELECT count(*) > 10 FROM copied)"))
            let second = RunningMigration(request, database, .pageByPage.manual())
            try await second.untilReady(session)
            // Nothing was copied twice.
            #expect(
                try await session.isTrue(
                    "(SELECT count(*) = (SELECT count(*) FROM copied) FROM copied NATURAL JOIN shadow_alter.chunk)"))
            try await Steer(connections: database.options).run(.cutOver, "item")
            try await second.summary()
            #expect(try await session.isTrue("(SELECT count(*) = 5001 FROM item)"))
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        @Test(
            arguments: try await Servers.outermost(), cases.filter { ["cast", "not null", "check"].contains($0.name) })
        func aRowThatIsWrittenMeanwhileIsNamed(_ binaries: ServerBinaries, _ bad: Case) async throws {
            let database = try await TestDatabase.create("bad_live", on: binaries)
            try await database.psql(Self.setup)
            let session = try await TestSession(database)
            let request = MigrationRequest("item", bad.clauses)
            let running = RunningMigration(request, database, .quick.manual())
            try await running.untilReady(session)
            // In one transaction with good ones, and twice.
            try await session.execute(
                """
                BEGIN; UPDATE item SET filler = 'good' WHERE id BETWEEN 2900 AND 3100; UPDATE item \(bad.spoil) WHERE id = 3000;
                UPDATE item SET filler = 'again' WHERE id = 3000; COMMIT
                """)
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .badData, "\(error)")
            #expect(
                error.message.contains("1 row of public.item: \(bad.text) (written by the application meanwhile)"),
                "\(error)")
            #expect(error.state.contains("the slot holds WAL"))
            try await session.execute("UPDATE item \(bad.mend) WHERE id = 3000")
            let summary = try await RunningMigration(request, database, .quick).summary()
            #expect(!summary.timings.contains { $0.phase == Phase.copying.rawValue })
            #expect(try await session.isTrue("(SELECT count(*) = 201 FROM item WHERE filler IN ('good', 'again'))"))
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// 20 are named, all are counted, whichever pages they are on; those that were written since say so.
        @Test(arguments: try await Servers.outermost())
        func manyRowsAreCounted(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("bad_many", on: binaries)
            try await database.psql(Self.setup)
            let session = try await TestSession(database)
            try await session.execute("UPDATE item SET code = 'bad' WHERE id % 10 = 0")
            let request = MigrationRequest("item", "ALTER code TYPE int USING code::int")
            let error = try #require(
                await RunningMigration(request, database, .quick).failure() as? MigrationError)
            #expect(error.message.contains("500 rows of public.item: "), "\(error)")
            #expect(error.message.split(separator: "row id = ").count == 21, "\(error)")
            #expect(error.message.hasSuffix("; …"))
            // Written while no run is alive: the stream tells the next one.
            try await session.execute("UPDATE item SET code = '1' WHERE id % 10 = 0 AND id <> 50")
            try await session.execute("UPDATE item SET code = 'worse' WHERE id = 50")
            let again = try #require(await RunningMigration(request, database, .quick).failure() as? MigrationError)
            #expect(again.message.contains("1 row of public.item: row id = '50', code 'worse'"), "\(again)")
            try await session.execute("UPDATE item SET code = '1' WHERE id = 50")
            try await RunningMigration(request, database, .quick).summary()
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// Beyond a limit nobody counts.
        @Test(arguments: try await Servers.outermost())
        func aTableThatIsAllWrongIsNotCountedToTheEnd(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("bad_all", on: binaries)
            try await database.psql(Self.setup)
            var check = DataCheck(connections: database.options)
            check.limit = 300
            let (_, findings) = try await check.run(MigrationRequest("item", "ALTER v TYPE int USING v::int"))
            let found = try #require(findings.tables.first)
            #expect(found.total == 300 && !found.isComplete && found.rows.count == 20)
            #expect(found.rowsChecked < 1000)
            #expect(findings.refusals.first?.what.contains("300 or more rows cannot be had") ?? false)
        }

        /// A row that is bad when it is copied and no more when it is looked for is no error.
        @Test(arguments: try await Servers.outermost())
        func whatNobodyFindsIsTriedAgain(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("bad_once", on: binaries)
            try await database.psql(
                Self.setup + """
                    CREATE SEQUENCE trials;
                    CREATE FUNCTION passes(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
                        BEGIN RETURN id <> 3000 OR nextval('public.trials') > 1; END $$;
                    """)
            let session = try await TestSession(database)
            let request = MigrationRequest("item", "ALTER id TYPE bigint, ADD CONSTRAINT odd CHECK (passes(id))")
            let running = RunningMigration(request, database, .pageByPage)
            let summary = try await running.summary()
            #expect(summary.rowsCopied == 5000)
            #expect(running.log.contains("has been changed meanwhile: the copy goes on"))
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// Under the lock nobody looks for the row: the attempt is taken back, and the next refresh names it.
        @Test(arguments: try await Servers.outermost())
        func theLastRefreshLeavesTheNamingToTheNext(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("bad_last", on: binaries)
            try await database.psql(Self.setup)
            let session = try await TestSession(database)
            let request = MigrationRequest("item", "ALTER n TYPE smallint")
            let running = RunningMigration(request, database, .quick.manual())
            try await running.untilReady(session)
            try await Steer(connections: database.options).run(.pause, "item")
            try await running.until("it is paused") { running.migration.status.snapshot.condition == .paused }
            try await session.execute("UPDATE item SET n = 40000 WHERE id = 7")
            let connection = try await PgConnection.connect(database.options)
            let record = try #require(try await connection.run { try StateStore.find("item", on: $0) })
            try await running.until("it is spooled") {
                try await session.isTrue("EXISTS (SELECT FROM \(record.tables[0].spool.sql))")
            }
            await #expect(throws: FinalRefresh.BadRow.self) {
                try await connection.rolledBackTransaction { connection in
                    let pending = PendingTables(record)
                    try pending.prepare(on: connection)
                    try FinalRefresh(pending).run(on: connection)
                }
            }
            await connection.close()
            try await Steer(connections: database.options).run(.resume, "item")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.message.contains("row id = '7', n '40000': smallint out of range"), "\(error)")
            try await Abort(connections: database.options, log: running.log.logger()).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// A function of the user's in USING may be mended instead of the rows.
        @Test(arguments: try await Servers.outermost())
        func theExpressionMayBeMended(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("bad_expression", on: binaries)
            try await database.psql(
                Self.setup + """
                    CREATE FUNCTION number(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1::int';
                    UPDATE item SET code = 'none' WHERE id = 3000;
                    """)
            let session = try await TestSession(database)
            let request = MigrationRequest("item", "ALTER code TYPE int USING number(code)")
            let error = try #require(
                await RunningMigration(request, database, .pageByPage).failure() as? MigrationError)
            #expect(error.message.contains("row id = '3000', code 'none'"), "\(error)")
            let other = MigrationRequest("item", "ALTER code TYPE int USING nullif(code, 'none')::int")
            let refused = try #require(await RunningMigration(other, database).failure() as? MigrationError)
            #expect(refused.code == .conflict)
            try await session.execute(
                "CREATE OR REPLACE FUNCTION number(text) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT nullif($1, 'none')::int$$"
            )
            try await RunningMigration(request, database).summary()
            #expect(try await session.isTrue("(SELECT code IS NULL FROM item WHERE id = 3000)"))
            try await Finalize(connections: database.options).run("item")
            await session.close()
        }
    }
}
