import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What is read and written through a view of the new shape, before there is a new table.
    @Suite(.serialized, .timeLimit(.minutes(3))) struct CompatNewWriteTests {
        /// The table is held ready, with the view beside it.
        private static func held(
            _ name: String, on binaries: ServerBinaries, change: String = CompatOrders.change, more: String = ""
        ) async throws -> (TestDatabase, RunningMigration) {
            let database = try await TestDatabase.create(name, on: binaries)
            try await database.psql(CompatOrders.setup + more)
            let running = RunningMigration(
                CompatOrders.request([.new], change: change), database, .quick.manual())
            let session = try await TestSession(database)
            try await running.untilReady(session)
            await session.close()
            return (database, running)
        }

        /// What was written through the view is in the new table, and the view is gone.
        private static func exchange(_ database: TestDatabase, _ running: RunningMigration) async throws {
            try await Steer(connections: database.options).run(.cutOver, "orders")
            try await running.summary()
            let session = try await TestSession(database)
            try await Remains(session: session).expectOnlyBlue("orders")
            try await Finalize(connections: database.options).run("orders")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        private static func error(_ session: TestSession, _ sql: String) async throws -> String? {
            do {
                try await session.execute(sql)
                return nil
            } catch let error as PgError {
                return "\(error.sqlState?.rawValue ?? "") \(error.message)"
            }
        }

        @Test(arguments: try await Servers.outermost())
        func throughTriggers(_ binaries: ServerBinaries) async throws {
            let (database, running) = try await Self.held("compat_new_triggers", on: binaries)
            let (new, old) = (try await TestSession.new(database), try await TestSession(database))
            #expect(
                try await new.column(
                    """
                    SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
                    WHERE attrelid = 'orders_new.orders'::regclass AND attnum > 0 ORDER BY attnum
                    """) == [
                        "id integer", "remark character varying(40)", "cents bigint", "placed timestamp with time zone",
                        "count integer", "state text",
                    ])
            #expect(
                try await new.column(
                    "INSERT INTO orders (remark, cents) VALUES ('first', 150) RETURNING concat_ws(' ', id, remark, cents, count, state)"
                )
                    == ["1001 first 150 0 new"])
            let row = "SELECT concat_ws(' ', note, legacy, price, placed IS NULL, count) FROM orders WHERE id = 1001"
            #expect(try await old.column(row) == ["first legacy 1.50 f 0"])
            #expect(
                try await new.column(
                    "UPDATE orders SET cents = 200, remark = 'second', state = 'new' WHERE id = 1001 RETURNING remark || cents || state"
                ) == ["second200new"])
            #expect(
                try await new.column(
                    "UPDATE orders SET remark = NULL WHERE id = 1001 RETURNING coalesce(remark, 'none')")
                    == ["none"])
            // Only what was changed is written: what the change drops is still there until then.
            try await old.execute("UPDATE orders SET price = 3.33, legacy = 'kept' WHERE id = 1001")
            try await new.execute("UPDATE orders SET count = 4 WHERE id = 1001")
            #expect(try await old.column(row) == ["kept 3.33 f 4"])
            #expect(try await new.column("UPDATE orders SET id = 6000 WHERE id = 1001 RETURNING id") == ["6000"])
            #expect(try await new.column("DELETE FROM orders WHERE id = 6000 RETURNING count") == ["4"])
            // What the table has no place for is not acknowledged.
            for statement in [
                "INSERT INTO orders (remark, state) VALUES ('x', 'sent')",
                "UPDATE orders SET state = 'sent' WHERE id = 7",
                "UPDATE orders SET state = NULL, count = 9 WHERE id = 7",
            ] {
                let refused = try await Self.error(new, statement)
                #expect(
                    refused
                        == "0A000 the column state of orders_new.orders cannot have a value of its own before the cut-over"
                )
            }
            // What the live table does not take is refused by it.
            #expect(
                try await Self.error(new, "UPDATE orders SET remark = repeat('x', 41) WHERE id = 7")?.hasPrefix("22001")
                    == true)
            #expect(try await old.column("SELECT note || count FROM orders WHERE id = 7 OR note = 'x'") == ["row 70"])
            try await new.execute("INSERT INTO orders (id, remark, cents) VALUES (7000, 'stays', 777)")
            try await Self.exchange(database, running)
            // The same session finds the table, and what it knows.
            #expect(
                try await new.column(
                    "SELECT concat_ws(' ', remark, cents, state) FROM orders WHERE id IN (7, 7000) ORDER BY id")
                    == ["row 7 700 new", "stays 777 new"])
            try await new.execute("UPDATE orders SET state = 'sent' WHERE id = 7000")
            for session in [new, old] { await session.close() }
        }

        /// Nothing that was computed from a row of before overwrites what somebody has written since then.
        @Test(arguments: try await Servers.outermost())
        func noUpdateIsLost(_ binaries: ServerBinaries) async throws {
            let (database, running) = try await Self.held("compat_new_lost", on: binaries)
            let (new, old) = (try await TestSession.new(database), try await TestSession(database))
            try await old.execute("BEGIN; UPDATE orders SET count = count + 1 WHERE id = 1")
            async let answer = Self.error(new, "UPDATE orders SET count = count + 1 WHERE id = 1")
            let watch = try await TestSession(database)
            try await eventually("the new one waits") {
                try await watch.isTrue(
                    "EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(new.pid) AND wait_event_type = 'Lock')")
            }
            try await old.execute("COMMIT")
            let refused = try await answer
            #expect(refused?.hasPrefix("40001") == true, "\(String(describing: refused))")
            try await new.execute("UPDATE orders SET count = count + 1 WHERE id = 1")
            #expect(try await new.column("SELECT count FROM orders WHERE id = 1") == ["2"])
            try await Self.exchange(database, running)
            #expect(try await new.column("SELECT count FROM orders WHERE id = 1") == ["2"])
            for session in [new, old, watch] { await session.close() }
        }

        /// Where only names and integers change, and columns go, PostgreSQL does it all by itself.
        @Test(arguments: try await Servers.outermost())
        func withoutTriggers(_ binaries: ServerBinaries) async throws {
            let change = """
                ALTER TABLE orders RENAME note TO remark;
                ALTER TABLE orders ALTER id TYPE bigint, DROP legacy, ALTER count SET DEFAULT 9
                """
            let (database, running) = try await Self.held("compat_new_plain", on: binaries, change: change)
            let new = try await TestSession.new(database)
            #expect(
                try await new.column("SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders_new.orders'::regclass")
                    == [])
            #expect(
                try await new.column(
                    "INSERT INTO orders (remark) VALUES ('x') RETURNING concat_ws(' ', id, remark, count)")
                    == ["1001 x 9"])
            #expect(
                try await new.column(
                    "INSERT INTO orders (id, remark) VALUES (1001, 'y') ON CONFLICT (id) DO UPDATE SET remark = excluded.remark || orders.remark RETURNING remark"
                ) == ["yx"])
            #expect(try await new.column("SELECT note || legacy FROM public.orders WHERE id = 1001") == ["yxlegacy"])
            try await new.execute("SET enable_seqscan = off")
            let plan = try await new.column("EXPLAIN SELECT * FROM orders WHERE id = 5")
            #expect(plan.contains { $0.contains("orders_pkey") }, "\(plan)")
            try await Self.exchange(database, running)
            #expect(try await new.column("SELECT remark FROM orders WHERE id = 1001") == ["yx"])
            await new.close()
        }

        /// Everybody may do with the view what he may do with the table, and sees the rows that he sees there.
        @Test(arguments: try await Servers.outermost())
        func privileges(_ binaries: ServerBinaries) async throws {
            let hasPolicies = binaries.majorVersion >= 15
            let (database, running) = try await Self.held(
                "compat_new_privileges", on: binaries,
                more: """
                    DROP ROLE IF EXISTS new_owner, new_reader, new_writer, new_nobody, new_log;
                    CREATE ROLE new_owner; CREATE ROLE new_reader LOGIN; CREATE ROLE new_writer LOGIN; CREATE ROLE new_nobody LOGIN;
                    CREATE ROLE new_log LOGIN;
                    GRANT USAGE, CREATE ON SCHEMA public TO new_owner; ALTER TABLE orders OWNER TO new_owner;
                    GRANT SELECT ON orders TO new_reader WITH GRANT OPTION; GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO new_writer;
                    GRANT INSERT ON orders TO new_log;
                    """
                        + (hasPolicies
                            ? """
                            ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON orders FOR SELECT TO new_reader USING (id <= 10);
                            CREATE POLICY everything ON orders TO new_writer, new_log USING (true) WITH CHECK (count < 50);
                            """ : ""))
            let session = try await TestSession(database)
            #expect(
                try await session.column(
                    "SELECT relowner::regrole FROM pg_class WHERE oid = 'orders_new.orders'::regclass") == ["new_owner"]
            )
            let (reader, writer) = (
                try await TestSession.new(database, user: "new_reader"),
                try await TestSession.new(database, user: "new_writer")
            )
            #expect(try await reader.column("SELECT count(*) FROM orders") == [hasPolicies ? "10" : "1000"])
            #expect(try await Self.error(reader, "DELETE FROM orders WHERE id = 1")?.hasPrefix("42501") == true)
            #expect(
                try await writer.column("INSERT INTO orders (remark, cents) VALUES ('w', 1) RETURNING remark") == ["w"])
            #expect(
                try await writer.column("UPDATE orders SET cents = 3, count = 2 WHERE id = 20 RETURNING cents") == ["3"]
            )
            #expect(try await writer.column("DELETE FROM orders WHERE id = 21 RETURNING id") == ["21"])
            if hasPolicies {
                #expect(
                    try await Self.error(writer, "UPDATE orders SET count = 60 WHERE id = 20")?.hasPrefix("42501")
                        == true)
            }
            // Who may not read cannot be shown what was kept, and is told as well what cannot be.
            let log = try await TestSession.new(database, user: "new_log")
            try await log.execute("INSERT INTO orders (remark) VALUES ('logged')")
            #expect(
                try await Self.error(log, "INSERT INTO orders (remark, state) VALUES ('no', 'sent')")?.hasPrefix(
                    "0A000")
                    == true)
            #expect(
                try await session.column("SELECT note FROM public.orders WHERE note IN ('logged', 'no')") == ["logged"])
            let nobody = try await TestSession(database, user: "new_nobody")
            #expect(try await Self.error(nobody, "SELECT * FROM orders_new.orders")?.hasPrefix("42501") == true)
            try await Self.exchange(database, running)
            #expect(try await writer.column("SELECT cents FROM orders WHERE id = 20") == ["3"])
            for session in [reader, writer, log, nobody, session] { await session.close() }
            try await database.server.psql("DROP DATABASE compat_new_privileges WITH (FORCE)")
            try await database.server.psql("DROP ROLE new_owner, new_reader, new_writer, new_nobody, new_log")
        }
    }
}
