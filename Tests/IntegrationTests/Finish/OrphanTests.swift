import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// What a migration leaves behind when its record, or its table, is taken from it: shown with the WAL that it holds, and removed when it may be.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct OrphanTests {
        private func orphans(_ items: Items) -> Orphans {
            Orphans(connections: items.database.options, log: CapturedLog().logger())
        }

        private func kinds(_ orphans: [Orphan]) -> [String] { orphans.map(\.kind.rawValue) }

        /// A run that has ended in the phase `ready`, with everything that it has made.
        private func deadRun(_ items: Items) async throws -> RunningMigration {
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            // What is recorded, or at work, is nobody's orphan.
            #expect(try await orphans(items).find() == [])
            running.cancel()
            _ = await running.failure()
            #expect(try await orphans(items).find() == [])
            return running
        }

        @Test(arguments: try await Servers.outermost(), [true, false])
        func theStateTablesAreGone(_ binaries: ServerBinaries, _ byName: Bool) async throws {
            let items = try await Items.create("orphan_state", on: binaries)
            _ = try await deadRun(items)
            try await items.session.execute("DROP SCHEMA shadow_alter CASCADE")
            try await items.session.execute("SELECT pg_logical_emit_message(true, 'test', repeat('x', 3000000))")
            let found = try await orphans(items).find()
            #expect(kinds(found) == ["slot", "publication", "schema", "schema"], "\(found)")
            #expect(found.allSatisfy { $0.migration == "item" && $0.obstacle == nil }, "\(found)")
            #expect((found.first?.retainedWALBytes ?? 0) > 3_000_000, "\(found)")
            #expect(Set(found.map(\.name)).isSuperset(of: ["item_green", "item_blue"]), "\(found)")
            let other = try await orphans(items).remove(of: "another")
            #expect(other.removed.isEmpty && other.left.isEmpty, "\(other)")
            let outcome = try await orphans(items).remove(of: byName ? "item" : nil)
            #expect(outcome.removed.count == 4 && outcome.left.isEmpty, "\(outcome)")
            try await Remains(session: items.session).expectNothing()
            // The table is as it was, and can be migrated.
            try await RunningMigration(Items.plain, items.database).summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func oneOfTheStateTablesIsGone(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_part", on: binaries)
            _ = try await deadRun(items)
            try await items.session.execute("DROP TABLE shadow_alter.migrated_table CASCADE")
            let found = try await orphans(items).find()
            #expect(
                kinds(found) == ["slot", "publication", "schema", "schema", "table", "table", "schema"], "\(found)")
            let outcome = try await orphans(items).remove()
            #expect(outcome.left.isEmpty, "\(outcome)")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost(), ["abort", "orphans"])
        func theNewTableIsGone(_ binaries: ServerBinaries, _ command: String) async throws {
            let items = try await Items.create("orphan_green", on: binaries)
            let running = try await deadRun(items)
            try await items.session.execute("DROP TABLE item_green.item")
            let found = try await orphans(items).find()
            #expect(kinds(found) == ["migration"] && found.first?.retainedWALBytes != nil, "\(found)")
            let status = try await StatusReader(connections: items.database.options).status(of: "item")
            #expect(status.condition == .failed && status.reason?.contains("abort item") == true, "\(status)")
            let again = try #require(await RunningMigration(Items.plain, items.database).failure() as? MigrationError)
            #expect(again.code == .sourceChanged && again.message.contains("item_green.item"), "\(again)")
            if command == "abort" {
                try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            } else {
                let outcome = try await orphans(items).remove()
                #expect(outcome.removed.count == 1 && outcome.left.isEmpty, "\(outcome)")
            }
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// The run notices that its record is gone, and until it has ended nothing is taken from it.
        @Test(arguments: try await Servers.outermost())
        func aRunWithoutARecordEndsByItself(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_alive", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            try await items.session.execute("DROP SCHEMA shadow_alter CASCADE")
            let outcome = try await orphans(items).remove()
            // It may have been quicker than we.
            for orphan in outcome.left { #expect(orphan.obstacle?.contains("session") == true, "\(orphan)") }
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .inconsistent && error.message.contains("shadow_alter.migration"), "\(error)")
            #expect(error.advice.contains("list"), "\(error)")
            #expect(try await orphans(items).remove().left.isEmpty)
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aRunWithoutItsSpoolEndsAndSaysSo(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_spool", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            let id: Int = try await items.session.value("SELECT id FROM shadow_alter.migrated_table")
            try await items.session.execute("DROP TABLE shadow_alter.spool_\(id)")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged && error.message.contains("shadow_alter.spool_\(id)"), "\(error)")
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// Names that look like ours, and things of ours that are somebody's now.
        @Test(arguments: try await Servers.outermost())
        func nothingOfOthersIsTouched(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_others", on: binaries)
            let running = try await deadRun(items)
            let elsewhere = try await TestDatabase.create("orphan_elsewhere", on: binaries)
            let there = try await TestSession(elsewhere)
            try await there.execute(
                "SELECT pg_create_logical_replication_slot('shadow_alter_00000000000000aa', 'pgoutput')")
            try await items.session.execute(
                """
                CREATE SCHEMA mine_green; CREATE TABLE mine_green.t (id int); COMMENT ON SCHEMA mine_green IS 'shadow-alter: mine';
                CREATE SCHEMA other_blue; CREATE PUBLICATION shadow_alter_mine; CREATE TABLE public.spool_1 (id int);
                """)
            try await items.session.execute(
                "SELECT pg_create_logical_replication_slot('shadow_alter_mine', 'pgoutput')")
            let before = try await orphans(items).remove()
            #expect(before.removed.isEmpty && before.left.map(\.database) == ["orphan_elsewhere"], "\(before)")

            // Of the migration's own things, somebody needs the new table, and has put a table into the schema for old ones.
            try await items.session.execute(
                """
                DROP SCHEMA shadow_alter CASCADE; CREATE VIEW public.reader AS SELECT id FROM item_green.item;
                CREATE TABLE item_blue.kept (id int);
                """)
            let outcome = try await orphans(items).remove()
            #expect(kinds(outcome.removed) == ["slot", "publication"], "\(outcome)")
            let left = Dictionary(uniqueKeysWithValues: outcome.left.map { ($0.name, $0.obstacle ?? "") })
            #expect(left["item_green"]?.contains("view reader") == true, "\(outcome.left)")
            #expect(left["item_blue"]?.contains("old table") == true, "\(outcome.left)")
            #expect(left["shadow_alter_00000000000000aa"]?.contains("orphan_elsewhere") == true, "\(outcome.left)")
            #expect(try await items.session.isTrue("to_regclass('item_green.item') IS NOT NULL"))

            try await items.session.execute(
                "DROP VIEW public.reader; DROP TABLE item_blue.kept; SELECT pg_drop_replication_slot('shadow_alter_mine')"
            )
            #expect(try await orphans(items).remove().removed.map(\.name) == ["item_green", "item_blue"])
            try await there.execute("SELECT pg_drop_replication_slot('shadow_alter_00000000000000aa')")
            try await items.session.execute(
                "DROP PUBLICATION shadow_alter_mine; DROP SCHEMA mine_green CASCADE; DROP SCHEMA other_blue; DROP TABLE public.spool_1"
            )
            try await Remains(session: items.session).expectNothing()
            _ = running
            await there.close()
            await items.close()
        }

        /// Whoever reads from it may be somebody.
        @Test(arguments: try await Servers.outermost())
        func anActiveSlotIsNeverDropped(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("orphan_active", on: binaries)
            let slot = "shadow_alter_00000000000000bb"
            try await items.session.execute("SELECT pg_create_logical_replication_slot('\(slot)', 'pgoutput')")
            // A session that reads changes by SQL uses the slot as long as it decodes.
            try await items.session.execute("CREATE PUBLICATION \(slot) FOR TABLE item")
            let reader = try await PgConnection.connect(items.database.options)
            try await items.session.execute(
                "INSERT INTO item SELECT n, 'x', repeat('x', 200) FROM generate_series(100000, 160000) n")
            let reading = Task {
                try await reader.cancellable { connection in
                    while true {
                        try connection.execute(
                            "SELECT count(*) FROM pg_logical_slot_peek_binary_changes('\(slot)', NULL, NULL, 'proto_version', '1', 'publication_names', '\(slot)')"
                        )
                    }
                }
            }
            var seen: Orphan?
            try await eventually("it is seen in use") {
                seen = try await orphans(items).find().first { $0.kind == .slot && $0.obstacle != nil }
                return seen != nil
            }
            #expect(seen?.obstacle?.contains("session \(reader.backendPID) ") == true, "\(String(describing: seen))")
            reading.cancel()
            _ = await reading.result
            await reader.close()
            try await eventually("it is removed once nobody reads from it") {
                try await orphans(items).remove().left.isEmpty
            }
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
