import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Old and new versions of an application side by side, from before the cut-over until the rollback.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CompatRolloutTests {
        @Test(arguments: try await Servers.outermost())
        func bothVersionsWrite(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("compat_rollout", on: binaries)
            try await database.psql(CompatOrders.setup)
            let session = try await TestSession(database)
            // It does not know when it is looking at a view.
            let old = try await CompatApplication(database, "old", path: CompatOrders.path) { round in
                """
                BEGIN; INSERT INTO orders (note, legacy, price) VALUES ('old \(round)', 'mine', 1.25);
                UPDATE orders SET count = count + 1, price = price + 0.5 WHERE id = 1; UPDATE orders SET note = 'o\(round)' WHERE id = 2;
                DELETE FROM orders WHERE note = 'old \(round - 1)'; COMMIT
                """
            }
            let running = RunningMigration(CompatOrders.request, database, .quick.baking())
            try await running.untilReversible(database, "orders")
            try await old.goesOn()
            let new = try await CompatApplication(database, "new", path: "public") { round in
                """
                BEGIN; INSERT INTO orders (remark, cents, state) VALUES ('new \(round)', 250, 'sent');
                UPDATE orders SET count = count + 1, cents = cents + 5 WHERE id = 3; UPDATE orders SET remark = 'n\(round)' WHERE id = 4;
                DELETE FROM orders WHERE remark = 'new \(round - 1)'; COMMIT
                """
            }
            try await new.goesOn()
            try await old.goesOn()
            try await running.untilReversible(database, "orders")
            let newer = await new.end()
            #expect(newer.errors == [])
            #expect(newer.rounds >= 20)
            // Each sees what the other has written.
            let view = try await TestSession.old(database)
            #expect(
                try await view.column(
                    "SELECT concat_ws(' ', note, price::numeric(12,2), count) FROM orders WHERE id IN (3, 4) ORDER BY id"
                )
                    == ["row 3 \(Self.price(300 + 5 * newer.rounds)) \(newer.rounds)", "n\(newer.rounds) 4.00 0"])
            #expect(try await view.column("SELECT legacy FROM orders WHERE note = 'new \(newer.rounds)'") == ["legacy"])
            await view.close()
            try await Steer(connections: database.options).run(.rollback, "orders")
            try await running.expectRolledBack()
            try await old.goesOn()
            let older = await old.end()
            #expect(older.errors == [])
            #expect(
                try await session.column(
                    "SELECT concat_ws(' ', note, legacy, price, count) FROM orders WHERE id < 5 ORDER BY id") == [
                        "row 1 old 1 \(Self.price(100 + 50 * older.rounds)) \(older.rounds)",
                        "o\(older.rounds) old 2 2.00 0",
                        "row 3 old 3 \(Self.price(300 + 5 * newer.rounds)) \(newer.rounds)",
                        "n\(newer.rounds) old 4 4.00 0",
                    ])
            #expect(
                try await session.column(
                    "SELECT note || ' ' || price FROM orders WHERE note ~ '^(old|new) ' ORDER BY 1") == [
                        "new \(newer.rounds) 2.50", "old \(older.rounds) 1.25",
                    ])
            #expect(try await session.value("SELECT count(*) FROM orders", as: Int.self) == 1002)
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        private static func price(_ cents: Int) -> String {
            let fraction = String(cents % 100)
            let padded = String(repeating: "0", count: 2 - fraction.count) + fraction
            return "\(cents / 100).\(padded)"
        }

        /// What somebody has built on the views stands in the way of the rollback, by name, and of nothing else. A run that dies finds the views.
        @Test(arguments: try await Servers.outermost())
        func whatIsBuiltOnThem(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("compat_built", on: binaries)
            try await database.psql(CompatOrders.setup)
            let session = try await TestSession(database)
            try await session.execute("CREATE VIEW mine AS SELECT id, count FROM orders")
            let running = RunningMigration(CompatOrders.request, database, .quick.baking())
            try await running.untilReversible(database, "orders")
            running.cancel()
            _ = await running.failure()
            try await session.execute("CREATE VIEW stranger AS SELECT id, note FROM orders_old.orders")
            let again = RunningMigration(CompatOrders.request, database, .quick.baking())
            try await again.untilReversible(database, "orders")
            try await Steer(connections: database.options).run(.rollback, "orders")
            try await again.until("the view is named") {
                try await StatusReader(connections: database.options).status(of: "orders").message.contains("stranger")
                    || again.log.all.contains { $0.contains("view public.stranger is built on orders_old.orders") }
            }
            #expect(try await session.column("SELECT note FROM stranger WHERE id = 7") == ["row 7"])
            try await session.execute("DROP VIEW stranger")
            try await again.untilReversible(database, "orders")
            try await Steer(connections: database.options).run(.rollback, "orders")
            try await again.expectRolledBack()
            #expect(try await session.column("SELECT count FROM mine WHERE id = 7") == ["0"])
            try await session.execute("DROP VIEW mine")
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
