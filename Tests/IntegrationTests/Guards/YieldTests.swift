import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Unique values that move between rows, of which the stream has told only one.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct YieldTests {
        @Test(arguments: try await Servers.outermost())
        func aRowYieldsUntilTheOtherHalfOfTheSwapIsThere(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("yield", on: binaries)
            try await items.session.execute("ALTER TABLE item ADD CONSTRAINT item_value_key UNIQUE (value) ")
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await Steer(connections: items.database.options).run(.pause, "item")
            try await running.until("it is paused") { running.migration.status.snapshot.condition == .paused }
            try await items.session.execute(
                """
                BEGIN;
                UPDATE item SET value = 'on the way' WHERE id = 1;
                UPDATE item SET value = 'value 1' WHERE id = 2;
                UPDATE item SET value = 'value 2' WHERE id = 1;
                UPDATE item SET value = 'nobody else''s' WHERE id = 3;
                COMMIT
                """)
            let connection = try await PgConnection.connect(items.database.options)
            let found = try await connection.run { try StateStore.find("item", on: $0) }
            let record = try #require(found?.tables.first)
            let spool = record.spool.sql
            try await running.until("it is spooled") {
                try await items.session.isTrue("EXISTS (SELECT FROM \(spool) WHERE shadow_alter_k1 = 3)")
            }
            // As if the other half had not come yet.
            try await items.session.execute("CREATE TABLE later AS SELECT * FROM \(spool) WHERE shadow_alter_k1 = 2")
            try await items.session.execute("DELETE FROM \(spool) WHERE shadow_alter_k1 = 2")
            let batch = RefreshBatch(record)
            await #expect(throws: PgError.self) {
                _ = try await connection.transaction { try batch.run(after: 0, limit: .max, mode: .replacing, on: $0) }
            }
            let first = try await connection.transaction {
                try batch.run(after: 0, limit: .max, mode: .yielding, on: $0)
            }
            let waiting = try await items.session.column(
                "SELECT DISTINCT shadow_alter_k1::text FROM \(spool) ORDER BY 1")
            #expect(waiting == ["1"])
            #expect(!first.yielded.isEmpty && first.settled + first.yielded.count == first.examined)
            #expect(
                try await items.session.column("SELECT value FROM item_green.item WHERE id = 3") == ["nobody else's"])

            try await items.session.execute("INSERT INTO \(spool) SELECT * FROM later")
            let second = try await connection.transaction {
                try batch.run(after: 0, limit: .max, mode: .yielding, on: $0)
            }
            #expect(second.yielded.isEmpty && second.settled == second.examined)
            await connection.close()
            try await Steer(connections: items.database.options).run(.resume, "item")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        /// One that is there for good: two rows whose values the new type makes equal.
        @Test(arguments: try await Servers.outermost())
        func aRowThatYieldsForGoodIsReported(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("yield_for_good", on: binaries)
            try await items.session.execute("ALTER TABLE item ADD CONSTRAINT item_value_key UNIQUE (value) ")
            let request = MigrationRequest("item", "ALTER value TYPE text USING lower(value)")
            let running = RunningMigration(request, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await items.session.execute("UPDATE item SET value = 'VALUE 7' WHERE id = 8")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .badData && error.message.contains("item_value_key"), "\(error)")
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
