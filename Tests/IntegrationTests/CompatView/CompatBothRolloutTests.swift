import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Two versions of an application side by side, before, while and after the tables are exchanged: neither is ever told of it.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CompatBothRolloutTests {
        @Test(arguments: try await Servers.outermost())
        func bothVersionsAllTheTime(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("compat_both", on: binaries)
            try await database.psql(CompatOrders.setup)
            let session = try await TestSession(database)
            let old = try await CompatApplication(database, "old", path: CompatOrders.path) { round in
                """
                BEGIN; INSERT INTO orders (note, legacy, price) VALUES ('old \(round)', 'mine', 1.25);
                UPDATE orders SET count = count + 1, price = price + 0.5 WHERE id = 1; UPDATE orders SET note = 'o\(round)' WHERE id = 2;
                DELETE FROM orders WHERE note = 'old \(round - 1)'; COMMIT
                """
            }
            try await old.goesOn()
            let running = RunningMigration(
                CompatOrders.request([.old, .new]), database, .quick.manual().baking())
            try await running.untilReady(session)
            // The new version is deployed before the cut-over, and many of it are connected at that moment.
            var newer: [CompatApplication] = []
            for client in 1...3 {
                newer.append(
                    try await CompatApplication(database, "new", path: CompatOrders.newPath) { round in
                        """
                        BEGIN; INSERT INTO orders (remark, cents) VALUES ('new \(client) \(round)', 250);
                        UPDATE orders SET count = count + 1, cents = cents + 5 WHERE id = \(10 + client);
                        UPDATE orders SET remark = 'n\(round)' WHERE id = \(20 + client);
                        DELETE FROM orders WHERE remark = 'new \(client) \(round - 1)'; COMMIT
                        """
                    })
            }
            for application in newer { try await application.goesOn() }
            try await old.goesOn()
            try await Steer(connections: database.options).run(.cutOver, "orders")
            try await running.untilReversible(database, "orders")
            for application in newer { try await application.goesOn() }
            try await old.goesOn()
            #expect(
                try await session.isTrue(
                    "to_regnamespace('orders_new') IS NULL AND to_regnamespace('orders_old') IS NOT NULL"))
            var rounds: [Int] = []
            for application in newer {
                let end = await application.end()
                #expect(end.errors == [])
                rounds.append(end.rounds)
            }
            let older = await old.end()
            #expect(older.errors == [])
            #expect(
                try await session.column(
                    "SELECT concat_ws(' ', remark, cents, count, state) FROM orders WHERE id IN (1, 2, 11, 12, 13, 21, 22, 23) ORDER BY id"
                ) == ["row 1 \(100 + 50 * older.rounds) \(older.rounds) new", "o\(older.rounds) 200 0 new"]
                    + (0..<3).map { "row \(11 + $0) \(1100 + 100 * $0 + 5 * rounds[$0]) \(rounds[$0]) new" }
                    + (0..<3).map { "n\(rounds[$0]) \(2100 + 100 * $0) 0 new" })
            #expect(
                try await session.column(
                    "SELECT remark || ' ' || cents FROM orders WHERE remark ~ '^(old|new) ' ORDER BY 1")
                    == (0..<3).map { "new \($0 + 1) \(rounds[$0]) 250" } + ["old \(older.rounds) 125"])
            #expect(try await session.value("SELECT count(*) FROM orders", as: Int.self) == 1004)
            // The way back leaves nothing of either.
            try await Steer(connections: database.options).run(.rollback, "orders")
            try await running.expectRolledBack()
            #expect(try await session.column("SELECT count FROM orders WHERE id = 11") == ["\(rounds[0])"])
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
