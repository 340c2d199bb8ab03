import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// What a run before this one has left in the server belongs to a role whose sessions this one's role may not end.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ForeignSessionTests {
        @Test(arguments: try await Servers.outermost())
        func itIsNamedAndWaitedForAndNotForEver(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("left_foreign", on: binaries)
            try await items.session.execute(
                """
                DROP ROLE IF EXISTS left_migrator; CREATE ROLE left_migrator LOGIN REPLICATION;
                GRANT CREATE ON DATABASE left_foreign TO left_migrator; GRANT CREATE ON SCHEMA public TO left_migrator;
                ALTER TABLE item OWNER TO left_migrator;
                """)
            let options = items.database.options(user: "left_migrator")
            let first = RunningMigration(Items.plain, connections: options, options: .quick.manual())
            try await first.untilReady(items.session)
            first.cancel()
            _ = await first.failure()

            // A superuser's: a chunk of the copy, say, of a program that was stopped.
            let left = try await TestSession(items.database, "shadow-alter copy")
            try await left.execute("BEGIN; LOCK TABLE item_green.item IN ROW EXCLUSIVE MODE")
            let control = try await PgConnection.connect(options, for: .control)
            let log = CapturedLog()
            let record = try #require(try await control.run { try StateStore.find("item", on: $0) })
            let predecessors = Predecessors(record: record, log: log.logger(), patience: .seconds(1))
            do {
                try await predecessors.end(on: control)
                Issue.record("it did not wait")
            } catch let error as MigrationError {
                #expect(error.code == .alreadyRunning)
                #expect(error.message.contains("session \(left.pid) "), "\(error)")
                #expect(error.message.contains("belongs to the role postgres"), "\(error)")
                #expect(error.advice.contains("pg_terminate_backend(\(left.pid))"), "\(error)")
            }
            await control.close()
            #expect(try await items.session.isTrue("EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(left.pid))"))

            // It ends by itself meanwhile.
            let second = RunningMigration(Items.plain, connections: options, options: .quick)
            try await second.until("it says whom it waits for") {
                second.log.contains(
                    "session \(left.pid) of a run before this one is still at work, and belongs to the role postgres")
            }
            try await left.execute("ROLLBACK")
            try await second.summary()
            await left.close()
            try await items.expectExact()
            try await Finalize(connections: options).run("item")
            try await items.session.execute("DROP OWNED BY left_migrator CASCADE; DROP ROLE left_migrator")
            await items.close()
        }
    }
}
