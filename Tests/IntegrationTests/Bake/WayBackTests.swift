import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The old table follows the new one by the plan's own inverse, exactly as PostgreSQL's own conversion would have it.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct WayBackTests {
        @Test(arguments: try await Servers.outermost(), WayBackCase.all)
        func theOldTableFollows(_ binaries: ServerBinaries, _ wayBack: WayBackCase) async throws {
            let followed = try await FollowedTable.migrate(wayBack, on: binaries)
            for mode in [RefreshBatch.Mode.updating, .replacing, .yielding] {
                try await followed.compare(mode)
            }
            await followed.session.close()
        }

        /// A value has moved between a row of the batch and one outside of it; what the rows keep waits for them.
        @Test(arguments: try await Servers.outermost())
        func whatYieldsKeepsItsValues(_ binaries: ServerBinaries) async throws {
            let dropped = try #require(WayBackCase.all.first { $0.name == "dropped" })
            let followed = try await FollowedTable.migrate(dropped, on: binaries)
            // Two rows exchange a unique value; the first batch has one of them only.
            try await followed.session.execute(
                """
                BEGIN; UPDATE item SET code = 'moving' WHERE id = 10; UPDATE item SET code = 'c10' WHERE id = 11;
                UPDATE item SET code = 'c11' WHERE id = 10; COMMIT; UPDATE item SET note = 'hot' WHERE id = 12
                """)
            try await followed.spool(keys: ["10", "12", "11"])
            try await followed.session.connection.transaction { connection in
                let first = try followed.batch.run(after: 0, limit: 2, mode: .yielding, on: connection)
                #expect(first.yielded == [1])
                #expect(first.settled == 1)
                #expect(try connection.query("SELECT count(*) FROM item_blue.item WHERE id = 10").single().value() == 0)
                let again = try followed.batch.run(after: 0, limit: 1, mode: .yielding, on: connection)
                #expect(again.yielded == [1])
                let all = try followed.batch.run(after: 0, limit: 10, mode: .yielding, on: connection)
                #expect(all.settled == 2)
            }
            #expect(
                try await followed.session.column(
                    "SELECT concat_ws(',', id, code, legacy, no, tick, maybe, note) FROM item_blue.item WHERE id IN (10, 11, 12) ORDER BY id"
                ) == [
                    "10,c11,old 10,10,10,maybe 10,row 10", "11,c10,old 11,11,11,maybe 11,row 11",
                    "12,c12,old 12,12,12,maybe 12,hot",
                ])
            try await followed.expectNothingKept()
            await followed.session.close()
        }

        /// What the old table cannot have is an error at that row, and nothing else is changed for it.
        @Test(arguments: try await Servers.outermost())
        func whatCannotGoBackIsAnErrorAndNotAnotherRow(_ binaries: ServerBinaries) async throws {
            for (name, write, key, state) in [
                ("bigint", "INSERT INTO item VALUES (3000000000, 1, 'far')", "3000000000", SQLState(rawValue: "22003")),
                ("text_key", "INSERT INTO item VALUES ('abcdef', 'long')", "'abcdef'", SQLState(rawValue: "23502")),
                ("dropped_not_null", "INSERT INTO item VALUES (99, 'new')", "99", SQLState(rawValue: "23502")),
                ("key_by_reverse", "INSERT INTO item VALUES ('K-01', 'not 1')", "'K-01'", SQLState(rawValue: "23502")),
            ] {
                let wayBack = try #require(WayBackCase.all.first { $0.name == name })
                let followed = try await FollowedTable.migrate(wayBack, on: binaries)
                let before = try await followed.session.column("SELECT t::text FROM item_blue.item t ORDER BY 1")
                try await followed.session.execute(write)
                try await followed.spool(keys: [key])
                for mode in [RefreshBatch.Mode.updating, .replacing] {
                    let error = await #expect(throws: PgError.self) { try await followed.run(mode) }
                    #expect(error?.sqlState == state, "\(name): \(String(describing: error))")
                }
                #expect(try await followed.session.column("SELECT t::text FROM item_blue.item t ORDER BY 1") == before)
                await followed.session.close()
            }
        }

        /// The comparison of the tables works in this direction, too, and its repair takes nothing from what rows keep. A row that is written meanwhile is the
        /// refresh's.
        @Test(arguments: try await Servers.outermost())
        func aRepairKeepsWhatRowsKeep(_ binaries: ServerBinaries) async throws {
            let dropped = try #require(WayBackCase.all.first { $0.name == "dropped_not_null" })
            let followed = try await FollowedTable.migrate(dropped, on: binaries)
            let (session, record) = (followed.session, followed.record)
            let before = try await session.column("SELECT t::text FROM item_blue.item t ORDER BY id")
            try await session.connection.run { connection in
                try connection.execute(
                    "DROP TABLE IF EXISTS \(record.suspects.sql); \(VerifySQL.create(record.suspects, for: record.plan))"
                )
                let sql = try VerifiedTable.read(record, on: connection).sql
                let compare = sql.compare(pages: 0..<10, limit: 100)
                #expect(try connection.query(compare).single().get("rows", as: Int.self) == 20)
                #expect(try connection.query(compare).single().optional("places", as: String.self) == nil)
                try connection.execute("UPDATE item_blue.item SET note = 'damaged' WHERE id IN (5, 6)")
                let places: [String] = try connection.query(compare).single().get("places")
                #expect(places.count == 2)
                try connection.query(sql.noteDifferent, [.int(0), .array(places)])
                let all: [Int64] = try connection.query(sql.all).rows.map { try $0.value() }
                try connection.execute("UPDATE item SET note = 'meanwhile' WHERE id = 6")
                for statement in sql.repair { try connection.query(statement, [.array(all.map(String.init))]) }
            }
            try await followed.expectNothingKept()
            #expect(
                try await session.column("SELECT t::text FROM item_blue.item t ORDER BY id")
                    == before.map { $0.hasPrefix("(6,") ? "(6,\"old 6\",damaged)" : $0 })
            try await followed.spool(keys: ["6"])
            try await followed.run(.replacing)
            #expect(
                try await session.column("SELECT t::text FROM item_blue.item t WHERE id = 6")
                    == ["(6,\"old 6\",meanwhile)"])
            try await followed.expectNothingKept()
            await session.close()
        }

        /// What `--reverse` says is a part of the change.
        @Test(arguments: try await Servers.outermost())
        func anotherWayBackIsAnotherMigration(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("way_back_other", on: binaries)
            try await database.psql("CREATE TABLE item (id int PRIMARY KEY, price int)")
            var request = MigrationRequest(
                change: .alter(table: "item", clauses: "ALTER price TYPE int USING price * 100"),
                reverse: [ReverseExpression(column: "price", expression: "price / 100")])
            try await RunningMigration(request, database).summary()
            request.reverse[0].expression = "price / 10"
            let error = try #require(await RunningMigration(request, database).failure() as? MigrationError)
            #expect(error.code == .conflict && error.message.contains("--reverse 'price=price / 100'"), "\(error)")
        }
    }
}
