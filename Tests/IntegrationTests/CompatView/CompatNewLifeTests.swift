import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The view of the new shape from the beginning of a migration to whatever end it has.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CompatNewLifeTests {
        private static func orders(_ name: String, on binaries: ServerBinaries) async throws -> (
            TestDatabase, TestSession
        ) {
            let database = try await TestDatabase.create(name, on: binaries)
            try await database.psql(CompatOrders.setup)
            return (database, try await TestSession(database))
        }

        private static let request = CompatOrders.request([.new])

        /// The view and the record of the migration: there are both at any instant, or neither. A run that dies finds the view, and goes on.
        @Test(arguments: try await Servers.outermost())
        func anotherRunGoesOn(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_resume", on: binaries)
            let both = """
                SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE (n.nspname, c.relname) IN (('shadow_alter', 'migration'), ('orders_new', 'orders'))
                """
            let first = RunningMigration(Self.request, database, .quick.manual())
            var seen: Set<Int> = []
            try await first.until("the view is there") {
                seen.insert(try await session.value(both))
                return seen.contains(2)
            }
            first.cancel()
            _ = await first.failure()
            #expect(seen.isSubset(of: [0, 2]))
            let new = try await TestSession.new(database)
            try await new.execute("UPDATE orders SET cents = 5, remark = 'nobody looks' WHERE id = 5")
            let oid = try await session.value("SELECT 'orders_new.orders'::regclass::oid::bigint", as: Int64.self)
            // Another time when everything is copied.
            let second = RunningMigration(Self.request, database, .quick.manual())
            try await second.untilReady(session)
            second.cancel()
            _ = await second.failure()
            try await new.execute("UPDATE orders SET cents = 6, count = count + 1 WHERE id = 6")
            #expect(
                try await session.value("SELECT 'orders_new.orders'::regclass::oid::bigint", as: Int64.self) == oid)
            try await RunningMigration(Self.request, database).summary()
            #expect(
                try await new.column(
                    "SELECT concat_ws(' ', remark, cents, count) FROM orders WHERE id IN (5, 6) ORDER BY id")
                    == ["nobody looks 5 0", "row 6 6 1"])
            try await Remains(session: session).expectOnlyBlue("orders")
            for session in [new, session] { await session.close() }
        }

        /// Another shape is another migration.
        @Test(arguments: try await Servers.outermost())
        func abortLeavesNothing(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_abort", on: binaries)
            let running = RunningMigration(CompatOrders.request([.old, .new]), database, .quick.manual())
            try await running.untilReady(session)
            let other = await RunningMigration(Self.request, database).failure() as? MigrationError
            #expect(other?.code == .conflict && other?.message.contains("--compat-view old --compat-view new") == true)
            // What somebody has built is named, and is in the way of nothing else.
            try await session.execute(
                "CREATE VIEW stranger AS SELECT id, cents FROM orders_new.orders; CREATE TABLE orders_new.other (id int)"
            )
            let abort = Abort(connections: database.options, log: running.log.logger())
            let refused = await #expect(throws: MigrationError.self) { try await abort.run("orders") }
            #expect(
                refused?.code == .conflict
                    && refused?.message.contains("table orders_new.other, view public.stranger is built on") == true,
                "\(String(describing: refused))")
            _ = await running.failure()
            #expect(try await session.column("SELECT cents FROM stranger WHERE id = 7") == ["700"])
            try await session.execute("DROP VIEW stranger; DROP TABLE orders_new.other")
            // Who uses the view is waited for.
            let new = try await TestSession.new(database)
            try await new.execute("BEGIN; UPDATE orders SET cents = 8 WHERE id = 8")
            async let end: Void = abort.run("orders")
            try await new.execute("SELECT pg_sleep(0.7); COMMIT")
            try await end
            #expect(try await session.column("SELECT price FROM orders WHERE id = 8") == ["0.08"])
            try await Remains(session: session).expectNothing()
            for session in [new, session] { await session.close() }
        }

        /// What is built on the view, or put beside it, is waited for by name, while everybody goes on; when it is gone, the cut-over goes on by itself.
        @Test(arguments: try await Servers.outermost())
        func whatIsBuiltOnIt(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_built", on: binaries)
            try await session.execute("CREATE VIEW mine AS SELECT id, count FROM orders")
            let running = RunningMigration(Self.request, database, .quick.manual())
            try await running.untilReady(session)
            try await session.execute(
                """
                CREATE VIEW stranger AS SELECT id, remark FROM orders_new.orders;
                CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders_new.orders; END
                """)
            try await Steer(connections: database.options).run(.cutOver, "orders")
            let reader = StatusReader(connections: database.options)
            try await running.until("all are named") {
                let status = try await reader.status(of: "orders")
                return status.message.contains(
                    "function public.count_orders(), view public.stranger is built on orders_new.orders")
            }
            #expect(running.migration.status.snapshot.isWaiting)
            // One is gone, and the other is still in the way. No attempt is made for that.
            try await session.execute("DROP FUNCTION count_orders()")
            try await running.until("the other is named") {
                try await reader.status(of: "orders").message.contains("waits: view public.stranger is built")
            }
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            let new = try await TestSession.new(database)
            try await new.execute("UPDATE orders SET cents = 9 WHERE id = 9")
            #expect(try await session.column("SELECT remark FROM stranger WHERE id = 7") == ["row 7"])
            try await session.execute("DROP VIEW stranger")
            try await running.summary()
            #expect(try await new.column("SELECT cents FROM orders WHERE id = 9") == ["9"])
            #expect(try await session.column("SELECT count FROM mine WHERE id = 9") == ["0"])
            try await Remains(session: session).expectOnlyBlue("orders")
            for session in [new, session] { await session.close() }
        }

        /// The exchange waits for a session that uses the view as it does for one that uses the table.
        @Test(arguments: try await Servers.outermost())
        func whoUsesIt(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_user", on: binaries)
            let running = RunningMigration(Self.request, database, .quick.manual())
            try await running.untilReady(session)
            let new = try await TestSession.new(database)
            try await new.execute("BEGIN; UPDATE orders SET cents = 9 WHERE id = 9")
            try await Steer(connections: database.options).run(.cutOver, "orders")
            try await running.until("it is named") { running.log.contains("the cut-over waits: session \(new.pid)") }
            try await new.execute("UPDATE orders SET cents = cents + 1 WHERE id = 9; COMMIT")
            try await running.summary()
            #expect(try await new.column("SELECT cents FROM orders WHERE id = 9") == ["10"])
            for session in [new, session] { await session.close() }
        }

        /// What comes when the lock is already asked for is found by PostgreSQL alone. It ends the attempt, and nothing else.
        @Test(arguments: try await Servers.outermost())
        func whatComesInTheLastMoment(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_late", on: binaries)
            // A transaction that is younger than this is no reason not to ask.
            var options = MigrationOptions.quick.manual()
            options.lockTimeout = .seconds(20)
            options.cutOverBudget = .seconds(30)
            let running = RunningMigration(Self.request, database, options)
            try await running.untilReady(session)
            let holder = try await TestSession(database)
            try await holder.execute("BEGIN; SELECT FROM orders LIMIT 1")
            try await Steer(connections: database.options).run(.cutOver, "orders")
            try await running.until("the lock is asked for") {
                try await session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE relation = 'public.orders'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted)"
                )
            }
            try await session.execute("CREATE TABLE orders_new.other (id int)")
            try await holder.execute("COMMIT")
            let reader = StatusReader(connections: database.options)
            try await running.until("it is named") {
                try await reader.status(of: "orders").message.contains("waits: table orders_new.other is built")
            }
            #expect(running.log.contains("was given up"))
            try await session.execute("DROP TABLE orders_new.other")
            try await running.summary()
            try await Remains(session: session).expectOnlyBlue("orders")
            for session in [holder, session] { await session.close() }
        }

        /// Whoever keeps everybody from writing is no reason to wait: nothing but ACCESS SHARE is asked for.
        @Test(arguments: try await Servers.outermost())
        func itsLock(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_lock", on: binaries)
            try await session.execute("BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE")
            let plan = try await Planning.dryRun(Self.request, connections: database.options)
            #expect(plan.tables.flatMap(\.compat).map(\.view.description) == ["orders_new.orders"])
            try await session.execute("COMMIT")
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// Somebody takes the view away, who would better have aborted: nothing is exchanged, and abort does the rest.
        @Test(arguments: try await Servers.outermost())
        func whoDropsIt(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_dropped", on: binaries)
            let running = RunningMigration(Self.request, database, .quick.manual())
            try await running.untilReady(session)
            let refused = await #expect(throws: PgError.self) {
                try await session.execute("ALTER TABLE orders DROP count")
            }
            #expect(refused?.sqlState?.classCode == "2B", "\(String(describing: refused))")
            try await session.execute("DROP SCHEMA orders_new CASCADE")
            try await Steer(connections: database.options).run(.cutOver, "orders")
            let error = await running.failure() as? MigrationError
            #expect(
                error?.code == .sourceChanged && error?.message.contains("orders_new") == true, "\(running.log.all)")
            try await Abort(connections: database.options, log: running.log.logger()).run("orders")
            #expect(try await session.column("SELECT note FROM orders WHERE id = 7") == ["row 7"])
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// Several tables have their views in one schema, and these go together.
        @Test(arguments: try await Servers.outermost())
        func severalTables(_ binaries: ServerBinaries) async throws {
            let (database, session) = try await Self.orders("compat_new_several", on: binaries)
            try await session.execute(
                "CREATE TABLE item (id int PRIMARY KEY, price int); INSERT INTO item VALUES (1, 2)")
            let request = MigrationRequest(
                change: .script(
                    """
                    ALTER TABLE orders ALTER id TYPE bigint; ALTER TABLE item ALTER id TYPE bigint, ALTER price TYPE int USING price * 100
                    """), name: "all", strategy: .shadow,
                reverse: [ReverseExpression(column: "item.price", expression: "price / 100")],
                compatViews: [.old, .new])
            let running = RunningMigration(request, database, .quick.manual())
            try await running.untilReady(session)
            let (new, old) = (try await TestSession(database), try await TestSession(database))
            try await new.execute("SET search_path = all_new, public")
            try await old.execute("SET search_path = all_old, public")
            let round = { (price: Int) in
                """
                INSERT INTO orders (note) VALUES ('x') RETURNING id; UPDATE item SET price = price + \(price) WHERE id = 1 RETURNING price
                """
            }
            #expect(try await new.column(round(300)) == ["500"])
            #expect(try await old.column(round(1)) == ["6"])
            try await Steer(connections: database.options).run(.cutOver, "all")
            try await running.summary()
            #expect(try await new.column(round(300)) == ["900"])
            #expect(try await old.column(round(1)) == ["10"])
            #expect(try await session.column("SELECT count(*) FROM orders WHERE note = 'x'") == ["4"])
            try await Finalize(connections: database.options).run("all")
            try await Remains(session: session).expectNothing()
            for session in [new, old, session] { await session.close() }
        }
    }
}
