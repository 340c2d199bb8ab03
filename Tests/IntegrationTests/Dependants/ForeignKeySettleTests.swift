import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// Three tables, and a gate that holds the validation of foreign keys back.
private struct Gated {
    static let setup = """
        CREATE TABLE parent (id int PRIMARY KEY, up int REFERENCES parent ON UPDATE CASCADE);
        CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE note (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE SET NULL);
        CREATE TABLE strict (id int PRIMARY KEY, parent int REFERENCES parent);
        INSERT INTO parent SELECT n, 1 FROM generate_series(1, 100) n;
        INSERT INTO child SELECT n, n FROM generate_series(1, 100) n;
        INSERT INTO note SELECT n, n FROM generate_series(1, 100) n;
        INSERT INTO strict SELECT n, n FROM generate_series(1, 10) n;
        CREATE TABLE gate (is_closed boolean);
        INSERT INTO gate VALUES (false);
        CREATE FUNCTION gate() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('application_name') = 'shadow-alter control' AND (SELECT is_closed FROM public.gate) THEN
                PERFORM pg_advisory_xact_lock_shared(4714);
            END IF;
        END $$;
        CREATE EVENT TRIGGER gate ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION gate();
        """

    let database: TestDatabase
    let session: TestSession
    let request: MigrationRequest

    /// - Parameter event: `ddl_command_end`: the validation stands at the gate with its locks.
    init(
        _ name: String, _ table: String, at event: String = "ddl_command_start", on binaries: ServerBinaries
    ) async throws {
        database = try await TestDatabase.create(name, on: binaries)
        try await database.psql(Self.setup.replacing("ddl_command_start", with: event))
        session = try await TestSession(database)
        request = MigrationRequest(table, "ALTER id TYPE bigint")
    }

    /// Returns when the new table is live and the run waits for the gate.
    func exchange() async throws -> RunningMigration {
        let running = RunningMigration(request, database, .quick.manual())
        try await running.untilReady(session)
        try await session.execute("UPDATE gate SET is_closed = true; SELECT pg_advisory_lock(4714)")
        try await Steer(connections: database.options).run(.cutOver, table)
        try await running.until("the validation stands at the gate") {
            try await session.isTrue(
                "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4714 AND NOT granted)")
        }
        return running
    }

    func open() async throws {
        try await session.execute("UPDATE gate SET is_closed = false; SELECT pg_advisory_unlock_all()")
    }

    var table: String {
        if case .alter(let table, _) = request.change { table } else { "" }
    }

    func pending() async throws -> Int {
        try await session.value(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated AND connamespace = 'public'::regnamespace"
        )
    }

    func expectRefused(_ sql: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let error = await #expect(throws: PgError.self, sourceLocation: sourceLocation) {
            try await session.execute(sql)
        }
        #expect(error?.sqlState == .foreignKeyViolation, "\(String(describing: error))", sourceLocation: sourceLocation)
    }
}

extension LiveMigrations {
    /// Between the cut-over and the end of the validation.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ForeignKeySettleTests {
        @Test(arguments: try await Servers.outermost(), ["parent", "child"])
        func writesAreCheckedFromTheCutOverOn(_ binaries: ServerBinaries, _ table: String) async throws {
            let gated = try await Gated("fk_settle_\(table)", table, on: binaries)
            let running = try await gated.exchange()
            let session = gated.session
            #expect(try await gated.pending() == (table == "parent" ? 4 : 1))
            try await gated.expectRefused("INSERT INTO child VALUES (1000, 1000)")
            try await gated.expectRefused("UPDATE child SET parent = 1000 WHERE id = 1")
            try await gated.expectRefused("INSERT INTO parent VALUES (1000, 1001)")
            try await gated.expectRefused("DELETE FROM parent WHERE id = 5")
            try await gated.expectRefused("DELETE FROM parent WHERE id = 1")
            try await session.execute(
                "DELETE FROM parent WHERE id = 50; UPDATE note SET parent = NULL WHERE id = 60; UPDATE parent SET id = 1060 WHERE id = 60"
            )
            #expect(try await session.isTrue("NOT EXISTS (SELECT FROM child WHERE id = 50)"))
            #expect(try await session.isTrue("(SELECT parent IS NULL FROM note WHERE id = 50)"))
            #expect(try await session.isTrue("(SELECT parent = 1060 FROM child WHERE id = 60)"))
            #expect(
                try await session.isTrue("(SELECT count(*) FROM \(table)_blue.\(table)) = 100"),
                "the old table was written to")

            let early = await #expect(throws: MigrationError.self) {
                try await Finalize(connections: gated.database.options).run(table)
            }
            #expect(early?.code == .conflict)
            #expect(early?.message.contains("validated") ?? false, "\(String(describing: early))")
            running.cancel()
            #expect(await running.failure() is CancellationError)
            #expect(try await gated.pending() > 0)
            try await gated.open()
            let again = RunningMigration(gated.request, gated.database)
            try await again.summary()
            #expect(try await gated.pending() == 0)
            try await Finalize(connections: gated.database.options).run(table)
            try await session.execute("DROP EVENT TRIGGER gate")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// A foreign key that says it is valid and is not: rows that were written while its triggers were off.
        @Test(
            arguments: try await Servers.outermost(),
            ["DELETE FROM child WHERE id = 1000", "ALTER TABLE child DROP CONSTRAINT child_parent_fkey"])
        func rowsThatViolateItAreNamed(_ binaries: ServerBinaries, _ way: String) async throws {
            let gated = try await Gated("fk_orphan", "parent", on: binaries)
            let session = gated.session
            try await session.execute(
                "SET session_replication_role = replica; INSERT INTO child VALUES (1000, 1000); SET session_replication_role = origin"
            )
            for _ in 1...2 {
                let running = RunningMigration(gated.request, gated.database)
                let error = try #require(await running.failure() as? MigrationError)
                #expect(error.code == .badData)
                #expect(error.message.contains("foreign key child_parent_fkey of public.child"), "\(error)")
                #expect(error.message.contains("(parent)=(1000)"), "\(error)")
                #expect(error.state.contains("new definition is live"))
                #expect(try await session.column("SELECT pg_typeof(id)::text FROM parent LIMIT 1") == ["bigint"])
            }
            try await session.execute(way)
            try await RunningMigration(gated.request, gated.database).summary()
            #expect(try await gated.pending() == 0)
            try await Finalize(connections: gated.database.options).run("parent")
            await session.close()
        }

        /// Deferred checks of the rows that the cut-over itself refreshes must not be in the way of the exchange. There are more rows than a
        /// batch takes, so that two batches pass a value to each other.
        @Test(arguments: try await Servers.outermost())
        func deferredConstraintsAreChecked(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("fk_deferred", on: binaries)
            try await database.psql(
                """
                CREATE TABLE item (id int PRIMARY KEY, rank int UNIQUE DEFERRABLE INITIALLY DEFERRED, up int REFERENCES item DEFERRABLE INITIALLY DEFERRED);
                INSERT INTO item SELECT n, n, 1 FROM generate_series(1, 12000) n;
                """)
            let session = try await TestSession(database)
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .seconds(100)
            options.cutOverBudget = .seconds(100)
            let running = RunningMigration(MigrationRequest("item", "ALTER id TYPE bigint"), database, options)
            try await running.untilReady(session)
            let writer = try await TestSession(database, "writer")
            try await writer.execute("BEGIN; UPDATE item SET rank = 12001 - rank, up = 12001 - id")
            try await Steer(connections: database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for the writer") {
                try await session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE relation = 'item'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted)"
                )
            }
            try await writer.execute("COMMIT")
            try await running.summary()
            #expect(try await session.isTrue("(SELECT bool_and(rank = 12001 - id AND up = 12001 - id) FROM item)"))
            #expect(
                try await session.isTrue(
                    "NOT EXISTS (TABLE item EXCEPT TABLE item_blue.item) AND (SELECT count(*) FROM item) = 12000"))
            await writer.close()
            await session.close()
        }

        /// A validation of hours must not make anybody wait for as long.
        @Test(arguments: try await Servers.outermost())
        func whoWaitsForTheValidationIsLetThrough(_ binaries: ServerBinaries) async throws {
            let gated = try await Gated("settle_courtesy", "parent", at: "ddl_command_end", on: binaries)
            let running = try await gated.exchange()
            // The gate stays closed: only that the validation is taken back lets this through.
            let other = try await TestSession(gated.database, "somebody else")
            for table in ["child", "note", "parent"] {
                try await other.execute("ALTER TABLE \(table) ADD COLUMN more int")
            }
            try await running.until("it says so") { running.log.contains("1 session waited for its locks") }
            #expect(try await gated.pending() > 0)
            try await gated.open()
            try await running.summary()
            #expect(try await gated.pending() == 0)
            await other.close()
            try await Finalize(connections: gated.database.options).run("parent")
            try await Remains(session: gated.session).expectNothing()
            await gated.session.close()
        }
    }
}
