import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What is read and written through a view of the old shape.
    @Suite(.serialized, .timeLimit(.minutes(3))) struct CompatWriteTests {
        @Test(arguments: try await Servers.outermost())
        func throughTriggers(_ binaries: ServerBinaries) async throws {
            let database = try await CompatOrders.exchanged("compat_triggers", on: binaries)
            let old = try await TestSession.old(database)
            // The shape, with what a length would cut shown whole.
            #expect(
                try await old.column(
                    """
                    SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
                    WHERE attrelid = 'orders_old.orders'::regclass AND attnum > 0 ORDER BY attnum
                    """) == [
                        "id bigint", "note text", "legacy text", "price numeric", "placed timestamp with time zone",
                        "count integer",
                    ])
            #expect(
                try await old.column(
                    "INSERT INTO orders (note, price) VALUES ('first', 1.5) RETURNING concat_ws(' ', id, note, legacy, price::float8, count)"
                )
                    == ["1001 first legacy 1.5 0"])
            #expect(
                try await old.column(
                    "SELECT concat_ws(' ', remark, cents, state, placed IS NULL) FROM public.orders WHERE id = 1001")
                    == ["first 150 new f"])
            #expect(
                try await old.column("INSERT INTO orders (id, note, count) VALUES (5000, NULL, 7) RETURNING count") == [
                    "7"
                ])
            #expect(
                try await old.column(
                    "UPDATE orders SET price = 2, note = 'second' WHERE id = 1001 RETURNING note || price::float8") == [
                        "second2"
                    ])
            #expect(
                try await old.column("UPDATE orders SET note = NULL WHERE id = 1001 RETURNING coalesce(note, 'none')")
                    == ["none"])
            #expect(
                try await old.column("SELECT concat_ws(' ', remark, cents, state) FROM public.orders WHERE id = 1001")
                    == ["200 new"])
            // Only what was changed is written: half a cent is not the old shape's to lose.
            try await old.execute(
                "UPDATE public.orders SET cents = 333, state = 'kept' WHERE id = 1001; UPDATE orders SET count = 4 WHERE id = 1001"
            )
            #expect(
                try await old.column("SELECT concat_ws(' ', cents, state, count) FROM public.orders WHERE id = 1001")
                    == ["333 kept 4"])
            // The row is locked and its triggers are asked, also where nothing of it changes.
            #expect(
                try await old.column("UPDATE orders SET legacy = 'lost' WHERE id IN (1001, 5000) RETURNING legacy") == [
                    "legacy", "legacy",
                ])
            #expect(try await old.column("UPDATE orders SET id = 6000 WHERE id = 5000 RETURNING id") == ["6000"])
            #expect(try await old.column("DELETE FROM orders WHERE id = 6000 RETURNING count") == ["7"])
            #expect(try await old.column("SELECT count(*) FROM public.orders") == ["1001"])
            await old.close()
        }

        /// Nothing that was computed from a row of before overwrites what somebody has written since then.
        @Test(arguments: try await Servers.outermost())
        func noUpdateIsLost(_ binaries: ServerBinaries) async throws {
            let database = try await CompatOrders.exchanged("compat_lost", on: binaries)
            let (old, new) = (try await TestSession.old(database), try await TestSession(database))
            try await new.execute("BEGIN; UPDATE orders SET count = count + 1 WHERE id = 1")
            async let answer: PgError? = {
                do {
                    try await old.execute("UPDATE orders SET count = count + 1 WHERE id = 1")
                    return nil
                } catch let error as PgError { return error }
            }()
            let watch = try await TestSession(database)
            try await eventually("the old one waits") {
                try await watch.isTrue(
                    "EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(old.pid) AND wait_event_type = 'Lock')")
            }
            try await new.execute("COMMIT")
            let error = try await answer
            #expect(error?.sqlState == .serializationFailure, "\(String(describing: error))")
            try await old.execute("UPDATE orders SET count = count + 1 WHERE id = 1")
            #expect(try await old.column("SELECT count FROM orders WHERE id = 1") == ["2"])
            for session in [old, new, watch] { await session.close() }
        }

        /// Where only names and integers change, PostgreSQL does it all by itself.
        @Test(arguments: try await Servers.outermost())
        func withoutTriggers(_ binaries: ServerBinaries) async throws {
            let request = MigrationRequest(
                change: .script(
                    """
                    ALTER TABLE orders RENAME note TO remark;
                    ALTER TABLE orders ALTER id TYPE bigint, ADD state text NOT NULL DEFAULT 'new', ALTER count SET DEFAULT 9
                    """), name: "orders", strategy: .shadow, compatViews: [.old])
            let database = try await CompatOrders.exchanged("compat_plain", on: binaries, request: request)
            let old = try await TestSession.old(database)
            #expect(
                try await old.column("SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders_old.orders'::regclass")
                    == [])
            #expect(
                try await old.column(
                    "INSERT INTO orders (note) VALUES ('x') RETURNING concat_ws(' ', id, note, legacy, count)")
                    == ["1001 x legacy 0"])
            #expect(
                try await old.column(
                    "INSERT INTO orders (id, note) VALUES (1001, 'y') ON CONFLICT (id) DO UPDATE SET note = excluded.note || orders.note RETURNING note"
                )
                    == ["yx"])
            #expect(try await old.column("SELECT remark || state FROM public.orders WHERE id = 1001") == ["yxnew"])
            try await old.execute("SET enable_seqscan = off")
            let plan = try await old.column("EXPLAIN SELECT * FROM orders WHERE id = 5::int")
            #expect(plan.contains { $0.contains("orders_pkey") }, "\(plan)")
            // finalize names what is built on a view, and touches nothing; then everything goes.
            try await old.execute("CREATE VIEW public.stranger AS SELECT id FROM orders_old.orders")
            let refused = await #expect(throws: MigrationError.self) {
                try await Finalize(connections: database.options).run("orders")
            }
            #expect(
                refused?.code == .conflict && "\(refused?.message ?? "")".contains("stranger"),
                "\(String(describing: refused))")
            #expect(try await old.column("SELECT count(*) FROM orders_blue.orders") == ["1000"])
            try await old.execute("DROP VIEW public.stranger; RESET enable_seqscan")
            try await Finalize(connections: database.options).run("orders")
            try await Remains(session: old).expectNothing()
            await old.close()
        }

        /// Everybody may do with the view what he may do with the table, and sees the rows that he sees there.
        @Test(arguments: try await Servers.outermost())
        func privileges(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("compat_privileges", on: binaries)
            let hasPolicies = binaries.majorVersion >= 15
            try await database.psql(
                CompatOrders.setup + """
                    DROP ROLE IF EXISTS compat_owner, compat_reader, compat_writer, compat_nobody, compat_log;
                    CREATE ROLE compat_owner; CREATE ROLE compat_reader LOGIN; CREATE ROLE compat_writer LOGIN; CREATE ROLE compat_nobody LOGIN;
                    CREATE ROLE compat_log LOGIN;
                    GRANT USAGE, CREATE ON SCHEMA public TO compat_owner; ALTER TABLE orders OWNER TO compat_owner;
                    GRANT SELECT ON orders TO compat_reader WITH GRANT OPTION; GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO compat_writer;
                    GRANT INSERT ON orders TO compat_log;
                    """
                    + (hasPolicies
                        ? """
                        ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON orders FOR SELECT TO compat_reader USING (id <= 10);
                        CREATE POLICY everything ON orders TO compat_writer, compat_log USING (true) WITH CHECK (count < 50);
                        """ : ""))
            try await RunningMigration(CompatOrders.request, database).summary()
            let session = try await TestSession(database)
            #expect(
                try await session.column(
                    "SELECT relowner::regrole FROM pg_class WHERE oid = 'orders_old.orders'::regclass") == [
                        "compat_owner"
                    ])
            let (reader, writer) = (
                try await TestSession.old(database, user: "compat_reader"),
                try await TestSession.old(database, user: "compat_writer")
            )
            #expect(try await reader.column("SELECT count(*) FROM orders") == [hasPolicies ? "10" : "1000"])
            let refused = await #expect(throws: PgError.self) {
                try await reader.execute("DELETE FROM orders WHERE id = 1")
            }
            #expect(refused?.sqlState == .insufficientPrivilege, "\(String(describing: refused))")
            #expect(
                try await writer.column(
                    "INSERT INTO orders (note, price) VALUES ('w', 1) RETURNING note") == ["w"])
            #expect(
                try await writer.column("UPDATE orders SET price = 3, count = 2 WHERE id = 20 RETURNING price::float8")
                    == ["3"])
            #expect(try await writer.column("DELETE FROM orders WHERE id = 21 RETURNING id") == ["21"])
            if hasPolicies {
                await #expect(throws: PgError.self) {
                    try await writer.execute("UPDATE orders SET count = 60 WHERE id = 20")
                }
            }
            let log = try await TestSession.old(database, user: "compat_log")
            try await log.execute("INSERT INTO orders (note) VALUES ('logged')")
            #expect(try await session.column("SELECT count(*) FROM orders WHERE remark = 'logged'") == ["1"])
            let nobody = try await TestSession(database, user: "compat_nobody")
            await #expect(throws: PgError.self) { try await nobody.execute("SELECT * FROM orders_old.orders") }
            for session in [reader, writer, log, nobody] { await session.close() }
            try await Finalize(connections: database.options).run("orders")
            try await Remains(session: session).expectNothing()
            await session.close()
            try await database.server.psql("DROP DATABASE compat_privileges WITH (FORCE)")
            try await database.server.psql(
                "DROP ROLE compat_owner, compat_reader, compat_writer, compat_nobody, compat_log")
        }
    }
}
