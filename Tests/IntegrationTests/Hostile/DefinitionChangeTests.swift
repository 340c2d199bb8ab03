import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What somebody else does to the table's definition while it is migrated, in each phase: right, or refused by name, and never silently wrong.
    /// `abort` works afterwards in any case.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct DefinitionChangeTests {
        struct Change: Sendable, CustomTestStringConvertible {
            var ddl: String
            /// What the error says; nil: there is none.
            var complaint: String?
            /// What puts things right again, so that the same command goes on.
            var remedy: String?
            var testDescription: String { ddl }
        }

        static let changes = [
            Change(ddl: "ALTER TABLE item ADD COLUMN late int DEFAULT 5", complaint: "columns", remedy: nil),
            Change(ddl: "ALTER TABLE item ALTER value TYPE varchar(200)", complaint: "columns", remedy: nil),
            Change(
                ddl: "CREATE INDEX CONCURRENTLY late ON item (value)", complaint: "indexes",
                remedy: "DROP INDEX CONCURRENTLY late"),
            Change(ddl: "VACUUM FULL item", complaint: nil, remedy: nil),
            Change(
                ddl: "ALTER TABLE item RENAME TO renamed", complaint: "another name",
                remedy: "ALTER TABLE renamed RENAME TO item"),
            Change(
                ddl: "ALTER TABLE item SET SCHEMA elsewhere", complaint: "another name",
                remedy: "ALTER TABLE elsewhere.item SET SCHEMA public"),
            Change(
                ddl:
                    "BEGIN; ALTER TABLE item RENAME TO renamed; CREATE TABLE item (LIKE renamed INCLUDING ALL); COMMIT",
                complaint: "another name", remedy: "DROP TABLE item; ALTER TABLE renamed RENAME TO item"),
            Change(ddl: "DROP TABLE item", complaint: "dropped", remedy: nil),
            Change(
                ddl: "BEGIN; DROP TABLE item; CREATE TABLE item (id int PRIMARY KEY, value text, filler text); COMMIT",
                complaint: "dropped", remedy: nil),
        ]

        /// The slot waits for older transactions, perhaps for hours, and locks nothing meanwhile.
        @Test(
            arguments: try await Servers.outermost(),
            changes.filter { $0.ddl.contains("COLUMN late") || $0.ddl.contains("CREATE TABLE") })
        func beforeTheCopy(_ binaries: ServerBinaries, _ change: Change) async throws {
            let items = try await Self.create("ddl_before", on: binaries)
            let older = try await TestSession(items.database, "older")
            try await older.execute("BEGIN; INSERT INTO other VALUES (2)")
            let running = RunningMigration(Items.plain, items.database)
            try await running.until("the slot waits") {
                running.migration.status.snapshot.reason?.contains("the slot waits for older transactions") == true
            }
            try await run(change, items, running, Items.plain) {
                try await older.execute("COMMIT")
                await older.close()
            }
        }

        @Test(arguments: try await Servers.outermost(), changes)
        func duringTheCopy(_ binaries: ServerBinaries, _ change: Change) async throws {
            let items = try await Self.create("ddl_copy", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            try await run(change, items, running, Items.gated) { try await items.barrier.openCopy() }
        }

        /// The barrier is in the way of whoever else builds that index anew.
        @Test(
            arguments: try await Servers.outermost(),
            changes.filter { $0.ddl.contains("COLUMN late") || $0.ddl.contains("TO renamed") })
        func whileIndexesAreBuilt(_ binaries: ServerBinaries, _ change: Change) async throws {
            let items = try await Self.create("ddl_index", on: binaries)
            try await items.session.execute("CREATE INDEX item_barrier ON item (index_barrier(id, 3000))")
            try await items.barrier.closeIndex()
            let running = RunningMigration(Items.plain, items.database)
            try await items.barrier.waitForIndex(running)
            try await run(change, items, running, Items.plain) { try await items.barrier.openIndex() }
        }

        @Test(arguments: try await Servers.outermost(), changes)
        func whileItIsReady(_ binaries: ServerBinaries, _ change: Change) async throws {
            let items = try await Self.create("ddl_ready", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await run(change, items, running, Items.plain) {
                // The run may have noticed, and ended.
                try await Steer(connections: items.database.options).run(.cutOver, "item")
            }
        }

        /// The name comes back before anybody looks: only the rows that were read meanwhile are another table's.
        @Test(arguments: try await Servers.outermost(), ["ready", "copying"])
        func anotherTableUnderTheNameForAWhile(_ binaries: ServerBinaries, _ phase: String) async throws {
            let items = try await Items.create("ddl_impostor", on: binaries)
            let request = phase == "ready" ? Items.plain : Items.gated
            var options = MigrationOptions.pageByPage.manual()
            options.verification = .off
            let running = RunningMigration(request, items.database, options)
            if phase == "ready" {
                try await running.untilReady(items.session)
            } else {
                try await items.barrier.waitForCopy(running)
            }
            let other = try await TestSession(items.database, "somebody else")
            // Its rows' keys are dirty already when the name changes.
            async let changed = other.execute(
                """
                BEGIN; UPDATE item SET value = 'changed' WHERE id BETWEEN 10 AND 4000; ALTER TABLE item RENAME TO renamed;
                CREATE TABLE item (LIKE renamed); COMMIT
                """)
            if phase == "copying" {
                try await eventually("it waits for the chunk") {
                    try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "somebody else")
                }
            }
            try await items.barrier.openCopy()
            _ = try await changed
            await other.close()
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged && error.message.contains("public.item"), "\(error)")
            try await items.session.execute("BEGIN; DROP TABLE item; ALTER TABLE renamed RENAME TO item; COMMIT")
            options.cutOver = .auto
            try await RunningMigration(request, items.database, options).summary()
            try await items.expectExact()
            try await items.finish()
        }

        private static func create(_ name: String, on binaries: ServerBinaries) async throws -> Items {
            let items = try await Items.create(name, on: binaries)
            try await items.session.execute("CREATE SCHEMA elsewhere")
            return items
        }

        private func run(
            _ change: Change, _ items: Items, _ running: RunningMigration, _ request: MigrationRequest,
            goOn: () async throws -> Void
        ) async throws {
            let other = try await TestSession(items.database, "somebody else")
            let isMade = EndFlag()
            let changing = Task {
                defer { isMade.set() }
                // CREATE INDEX CONCURRENTLY and VACUUM cannot be in a transaction, as several statements in one message are.
                for statement in change.ddl.split(separator: ";") { try await other.execute(String(statement)) }
            }
            // It may have to wait for the chunk that stands at the barrier.
            try await eventually("the change is made, or waits") {
                if isMade.isSet { return true }
                return try await items.barrier.session.isTrue(
                    "EXISTS (SELECT FROM pg_stat_activity WHERE pid = \(other.pid) AND wait_event_type = 'Lock')")
            }
            do { try await goOn() } catch let error as MigrationError {
                // The run has ended, and what it was about with it.
                #expect(change.complaint != nil, "\(error)")
            }
            let failure = await running.failure()
            try await changing.value
            await other.close()
            guard let complaint = change.complaint else {
                #expect(failure == nil, "\(String(describing: failure))")
                try await items.expectExact()
                try await items.session.execute("DROP SCHEMA elsewhere")
                return try await items.finish()
            }
            let error = try #require(failure as? MigrationError, "\(String(describing: failure))")
            #expect(error.code == .sourceChanged, "\(error)")
            #expect(error.message.contains(complaint), "\(error)")
            #expect(error.advice.contains("abort"), "\(error)")
            if let remedy = change.remedy {
                for statement in remedy.split(separator: ";") { try await items.session.execute(String(statement)) }
                try await RunningMigration(request, items.database).summary()
                try await items.expectExact()
                try await items.session.execute("DROP SCHEMA elsewhere")
                return try await items.finish()
            }
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await items.session.execute("DROP SCHEMA elsewhere")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
