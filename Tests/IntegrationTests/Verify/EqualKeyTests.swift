import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Keys that are equal and do not look alike: a row may get another form of its key, and the new table's key may tell the two apart.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct EqualKeyTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let name: String
            let type: String
            /// The key of row `n`.
            let first: String
            /// Another form of the key that a row has.
            let other: String
            let clauses: String
            /// The same over the new table's key, and how many mismatches a row with it is: one, or a row too many and one too few.
            let damage: String
            let mismatches: Int64
            var testDescription: String { name }
        }

        private static let otherCase =
            "(CASE WHEN id::text = upper(id::text) THEN lower(id::text) ELSE upper(id::text) END)"

        private static let cases = [
            Case(
                name: "equal_citext", type: "citext", first: "('Row ' || n)::citext", other: "\(otherCase)::citext",
                clauses: "ALTER n TYPE bigint", damage: "\(otherCase)::citext", mismatches: 1),
            Case(
                name: "equal_text", type: "citext", first: "('Row ' || n)::citext", other: "\(otherCase)::citext",
                clauses: "ALTER n TYPE bigint, ALTER id TYPE text", damage: otherCase, mismatches: 2),
            Case(
                name: "equal_numeric", type: "numeric", first: "n::numeric", other: "id * 1.0",
                clauses: "ALTER n TYPE bigint, ALTER id TYPE text", damage: "id || '.0'", mismatches: 2),
        ]

        private static func setup(_ equal: Case) -> String {
            """
            \(Caseless.setup)
            \(Barrier.setup)
            CREATE TABLE item (id \(equal.type) PRIMARY KEY, n int NOT NULL, code int UNIQUE, value text) WITH (autovacuum_enabled = off);
            INSERT INTO item SELECT \(equal.first), n, n, repeat(md5(n::text), 20) FROM generate_series(1, 1000) n;
            """
        }

        /// Rows on all pages get another form of their keys, each in another way.
        private func write(_ equal: Case, on session: TestSession) async throws {
            let (first, other) = (equal.first, equal.other)
            for statement in [
                "UPDATE item SET id = \(other) WHERE n % 10 = 1",
                // Twice, and there and back.
                "UPDATE item SET id = \(other) WHERE n % 10 = 2", "UPDATE item SET id = \(other) WHERE n % 20 = 2",
                // Another row.
                "BEGIN; DELETE FROM item WHERE n % 10 = 3; INSERT INTO item SELECT \(first), n, n, 'new' FROM generate_series(3, 1000, 10) n; "
                    + "UPDATE item SET id = \(other) WHERE n % 20 = 3; COMMIT",
                // Values change places meanwhile, within one commit and over two.
                "BEGIN; UPDATE item SET code = -code WHERE n % 10 IN (4, 5); UPDATE item SET id = \(other), "
                    + "code = CASE WHEN code % 10 = -4 THEN 1 - code ELSE -1 - code END WHERE n % 10 IN (4, 5); COMMIT",
                "UPDATE item SET code = NULL WHERE n IN (6, 7)", "UPDATE item SET id = \(other), code = 6 WHERE n = 7",
                "UPDATE item SET id = \(other), code = 7 WHERE n = 6",
                "UPDATE item SET id = \(other) WHERE n % 100 = 8", "DELETE FROM item WHERE n % 100 = 8",
            ] { try await session.execute(statement) }
        }

        @Test(arguments: try await Servers.outermost(), Self.cases)
        func aKeyThatGetsAnotherForm(_ binaries: ServerBinaries, _ equal: Case) async throws {
            let database = try await TestDatabase.create(equal.name, on: binaries)
            try await database.psql(Self.setup(equal))
            let session = try await TestSession(database)
            let barrier = Barrier(session: try await TestSession(database, "barrier"))
            let request = MigrationRequest(
                "item", equal.clauses + ", ADD CONSTRAINT barrier CHECK (pass_barrier(n, 500, 'shadow-alter copy'))")
            let running = RunningMigration(request, database, .pageByPage.manual())
            running.mayFindMismatches()
            try await barrier.waitForCopy(running)
            // Of rows that are copied already, and of others: all new versions are on pages that are still to be copied.
            try await write(equal, on: session)
            try await barrier.openCopy()
            try await running.untilReady(session)
            #expect(running.migration.status.snapshot.verify.mismatches == 0, "\(running.log.all.suffix(12))")

            try await write(equal, on: session)
            #expect(
                try await Verified.verify(running, database, session).mismatches == 0, "\(running.log.all.suffix(12))")
            try await session.execute("UPDATE item_green.item SET id = \(equal.damage) WHERE n = 509")
            let seen = try await Verified.verify(running, database, session)
            #expect(seen.mismatches == equal.mismatches, "\(running.log.all.suffix(12))")

            // Nobody verifies what comes now.
            try await write(equal, on: session)
            try await Steer(connections: database.options).run(.cutOver, "item")
            try await running.summary()
            let columns = "id::text, n::bigint, code, value"
            let wrong = try await session.column(
                """
                (SELECT 'missing ' || id FROM (SELECT \(columns) FROM item_blue.item EXCEPT ALL SELECT \(columns) FROM item) a LIMIT 5)
                UNION ALL
                (SELECT 'wrong ' || id FROM (SELECT \(columns) FROM item EXCEPT ALL SELECT \(columns) FROM item_blue.item) b LIMIT 5)
                """)
            #expect(wrong.isEmpty)
            try await Finalize(connections: database.options).run("item")
            try await Remains(session: session).expectNothing()
            await session.close()
            await barrier.session.close()
        }
    }
}
