import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The new table stands ready beside the live one, for days: it costs little, can be read, and survives restarts.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct BlueGreenHoldTests {
        /// Writes every row, again and again.
        private func rounds(_ count: Int, _ items: Items) async throws {
            for round in 1...count {
                try await items.session.execute("UPDATE item SET value = 'round \(round) ' || id")
            }
        }

        /// Everything that was committed before the call is in the new table.
        private func expectInSync(_ items: Items, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let difference =
                "(TABLE item EXCEPT ALL TABLE item_green.item) UNION ALL (TABLE item_green.item EXCEPT ALL TABLE item)"
            try await eventually("the new table is in sync") {
                try await items.session.isTrue("NOT EXISTS (\(difference))")
            }
        }

        /// Even while somebody's old snapshot keeps VACUUM from removing anything.
        @Test(arguments: try await Servers.outermost())
        func theSpoolStaysSmallUnderAnOldSnapshot(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("held_spool", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            let old = try await TestSession(items.database, "pg_dump")
            try await old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other")
            let spool: String = try await items.session.value(
                "SELECT relname::text FROM pg_class WHERE relnamespace = 'shadow_alter'::regnamespace AND relname ~ '^spool_[0-9]+$'"
            )
            let size = "pg_relation_size('shadow_alter.\(spool)')"
            // What comes while the stream is behind is spooled once for several rounds.
            for time in 1...2 {
                try await eventually(
                    "the spool has become too large and was made small again", within: .seconds(200)
                ) {
                    try await rounds(16, items)
                    // Up to this size it is left as it is.
                    try await running.until("all is settled, and the spool small") {
                        try await items.session.isTrue(
                            "\(size) <= 2 << 20 AND NOT EXISTS (SELECT FROM shadow_alter.\(spool))")
                    }
                    return running.log.all.count { $0.contains("made the spool small again") } >= time
                }
            }
            try await running.until("all is settled, and the spool small") {
                try await items.session.isTrue("\(size) < 3000000 AND NOT EXISTS (SELECT FROM shadow_alter.\(spool))")
            }
            try await expectInSync(items)
            try await old.execute("COMMIT")
            await old.close()
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        /// Nothing of ours keeps VACUUM from its work, or WAL from being removed, for long.
        @Test(arguments: try await Servers.outermost())
        func itHoldsNoSnapshotAndNoWAL(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("held_horizon", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            for _ in 1...3 {
                try await rounds(5, items)
                let now: String = try await items.session.value("SELECT pg_current_xact_id()::text")
                let place: String = try await items.session.value("SELECT pg_current_wal_insert_lsn()::text")
                try await rounds(1, items)
                try await running.until("no session of ours has a snapshot from before") {
                    try await items.session.isTrue(
                        """
                        NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'shadow-alter%'
                            AND (age(backend_xmin) > age('\(now)'::xid8::xid) OR age(backend_xid) > age('\(now)'::xid8::xid)))
                        """)
                }
                // By itself the server writes down every 15 seconds which transactions run, and a slot moves at these points only.
                try await items.session.execute("CHECKPOINT")
                try await running.until("the slot has let go of what was written before") {
                    try await items.session.isTrue(
                        """
                        (SELECT bool_and(restart_lsn >= '\(place)' AND age(catalog_xmin) <= age('\(now)'::xid8::xid)) FROM pg_replication_slots
                         WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database())
                        """)
                }
            }
            try await expectInSync(items)
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            _ = await running.failure()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// While nobody writes, next to nothing is sent, and hardly anything written.
        @Test(arguments: try await Servers.outermost())
        func anIdleHoldAsksForLittle(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(
                binaries, settings: ["log_statement": "all", "autovacuum": "off"])
            let items = try await Items.create("held_idle", in: server)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            func count(_ text: String) throws -> Int {
                try server.log.split(separator: "\n").count { $0.contains(text) }
            }
            let looks = "shadow-alter refresh LOG:  execute shadow_alter_pending"
            let marks = "pg_logical_emit_message"
            try await running.until("it is held") { running.migration.status.snapshot.isWaiting }
            let (look, mark) = try (count(looks), count(marks))
            try await running.until("it has looked for changes often") { try count(looks) >= look + 24 }
            // A watermark with each look would be 24.
            let written = try count(marks) - mark
            #expect(written <= 6)
            try await items.session.execute("DELETE FROM item WHERE id = 17")
            try await expectInSync(items)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
            try await server.stop()
        }

        @Test(arguments: try await Servers.outermost())
        func itGoesOnAfterACrashOfTheServer(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries)
            let items = try await Items.create("held_crash", in: server)
            let first = RunningMigration(Items.plain, items.database, .quick.manual())
            try await first.untilReady(items.session)
            try await rounds(1, items)
            try await server.restart(mode: .immediate)
            #expect(await first.failure() != nil)
            let after = try await TestSession(items.database)
            try await after.execute(
                "DELETE FROM item WHERE id % 7 = 0; UPDATE item SET id = id + 100000, value = 'after the crash' WHERE id % 11 = 0"
            )
            let second = RunningMigration(Items.plain, items.database, .quick.manual())
            try await second.until("it is held again") { second.migration.status.snapshot.isWaiting }
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            let summary = try await second.summary()
            #expect(
                !summary.timings.contains { $0.phase == Phase.copying.rawValue || $0.phase == Phase.indexing.rawValue })
            let renewed = Items(
                database: items.database, session: after,
                barrier: Barrier(session: try await TestSession(items.database)))
            try await renewed.expectExact()
            try await renewed.finish()
            try await server.stop()
        }

        /// An application's tests find the new shape by the `search_path`, with the grants that their role has on the live table, once somebody lets them
        /// into the schema. Row-level security holds in the new table, too.
        @Test(arguments: try await Servers.outermost())
        func theNewTableCanBeReadByWhoIsLetIn(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("held_read", on: binaries)
            try await items.session.execute(
                """
                DROP ROLE IF EXISTS held_tester; CREATE ROLE held_tester LOGIN; GRANT SELECT ON item TO held_tester;
                CREATE TABLE secret (id int PRIMARY KEY, who name); INSERT INTO secret VALUES (1, 'held_tester'), (2, 'other');
                ALTER TABLE secret ENABLE ROW LEVEL SECURITY; GRANT SELECT ON secret TO held_tester;
                CREATE POLICY own ON secret USING (who = current_user);
                """)
            let script = "ALTER TABLE item ALTER id TYPE bigint; ALTER TABLE secret ALTER id TYPE bigint"
            let request = MigrationRequest(change: .script(script), name: "item")
            let running = RunningMigration(request, items.database, .quick.manual())
            try await running.untilReady(items.session)
            let tester = try await TestSession(items.database, "tests", user: "held_tester")
            // As before for whoever is not let in: an invisible schema is passed over.
            try await tester.execute("SET search_path = item_green, public")
            let shape = "SELECT pg_typeof(id)::text FROM item LIMIT 1"
            #expect(try await tester.column(shape) == ["integer"])
            await #expect(throws: PgError.self) { try await tester.execute("SELECT count(*) FROM item_green.item") }

            try await items.session.execute("GRANT USAGE ON SCHEMA item_green TO held_tester")
            #expect(try await tester.column(shape) == ["bigint"])
            try await items.session.execute("UPDATE item SET value = 'seen' WHERE id = 3")
            try await eventually("the change is seen in the new table") {
                try await tester.column("SELECT value FROM item WHERE id = 3") == ["seen"]
            }
            #expect(try await tester.column("SELECT count(*) FROM public.secret") == ["1"])
            #expect(try await tester.column("SELECT id FROM secret") == ["1"])
            await #expect(throws: PgError.self) { try await tester.execute("UPDATE item SET value = 'foreign'") }
            try await items.session.execute("UPDATE item_green.item SET value = 'foreign' WHERE id = 4")
            running.mayFindMismatches()
            let seen = try await Verified.verify(running, items.database, items.session)
            #expect(seen.mismatches == 1)
            #expect(running.log.contains("row id = '4': value is 'foreign' instead of 'value 4'"), "\(running.log.all)")

            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            #expect(try await tester.column(shape) == ["bigint"])
            #expect(try await tester.column("SELECT count(*) FROM secret") == ["1"])
            await tester.close()
            try await items.finish()
            try await items.database.psql("DROP OWNED BY held_tester; DROP ROLE held_tester")
        }
    }
}
