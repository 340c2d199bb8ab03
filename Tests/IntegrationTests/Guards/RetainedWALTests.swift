import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The slot in each phase: what it holds back is watched, and when it is gone that is known at once.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct RetainedWALTests {
        enum Moment: String, Sendable, CaseIterable {
            case copying, indexing, ready, paused, baking
        }

        /// A run that has come to this moment and stays there until `goOn`.
        private func bring(
            to moment: Moment, _ items: Items, _ options: MigrationOptions = .pageByPage, proxy: NetworkProxy? = nil
        ) async throws -> RunningMigration {
            var options = options.manual()
            if moment == .baking { options.bake = .untilFinalize }
            if moment == .indexing {
                try await items.session.execute("CREATE INDEX item_barrier ON item (index_barrier(id, 3000))")
                try await items.barrier.closeIndex()
            }
            let request = moment == .copying || moment == .paused ? Items.gated : Items.plain
            let running =
                proxy.map { Proxied.run(request, items, $0, options) }
                ?? RunningMigration(request, items.database, options)
            switch moment {
            case .copying: try await items.barrier.waitForCopy(running)
            case .paused:
                try await items.barrier.waitForCopy(running)
                try await Steer(connections: items.database.options).run(.pause, "item")
                try await items.barrier.openCopy()
                try await running.until("paused") { running.migration.status.snapshot.condition == .paused }
            case .indexing: try await items.barrier.waitForIndex(running)
            case .ready: try await running.untilReady(items.session)
            case .baking:
                try await running.untilReady(items.session)
                try await Steer(connections: items.database.options).run(.cutOver, "item")
                try await running.until(phase: .baking)
            }
            return running
        }

        private func letGo(_ moment: Moment, _ items: Items) async throws {
            if moment == .copying { try await items.barrier.openCopy() }
            if moment == .indexing { try await items.barrier.openIndex() }
        }

        /// 30 MB that are in no publication: what is published fills the walsender's socket, and it does not end before that does.
        private static let writeWAL = """
            CREATE TABLE IF NOT EXISTS junk (v text); ALTER TABLE junk ALTER v SET STORAGE EXTERNAL;
            INSERT INTO junk SELECT repeat(md5(n::text), 32000) FROM generate_series(1, 30) n
            """

        /// Before the exchange: nothing can continue it, and everybody is told. After it: the new table stays, and does not come back.
        private func expectLost(_ error: MigrationError, _ moment: Moment, _ items: Items, _ code: MigrationError.Code)
            async throws
        {
            if moment == .baking {
                #expect(error.code == .wayBackLost && error.advice.contains("finalize"), "\(error)")
                try await Finalize(connections: items.database.options).run("item")
            } else {
                #expect(error.code == code && error.advice.contains("abort item"), "\(error)")
                let status = try await StatusReader(connections: items.database.options).status(of: "item")
                #expect(status.condition == .failed, "\(status)")
                #expect(status.reason?.contains("abort item") == true, "\(status)")
                #expect(try await items.session.isTrue("pg_typeof((SELECT id FROM item LIMIT 1)) = 'integer'::regtype"))
                try await Abort(connections: items.database.options, log: CapturedLog().logger()).run("item")
            }
            try await Remains(session: items.session).expectNothing()
        }

        @Test(arguments: try await Servers.outermost(), Moment.allCases)
        func aSlotThatSomebodyDrops(_ binaries: ServerBinaries, _ moment: Moment) async throws {
            let items = try await Items.create("slot_dropped", on: binaries)
            let running = try await bring(to: moment, items)
            try await dropSlot(items)
            try await letGo(moment, items)
            let error = try #require(await running.failure() as? MigrationError)
            try await expectLost(error, moment, items, .slotLost)
            await items.close()
        }

        /// The stream does not hear of it.
        @Test(arguments: try await Servers.outermost(), [Moment.copying, .baking])
        func aSlotThatSomebodyDropsUnderASilentStream(_ binaries: ServerBinaries, _ moment: Moment) async throws {
            let (items, proxy) = try await Proxied.create("slot_dropped_silently", on: binaries)
            let running = try await bring(to: moment, items, proxy: proxy)
            proxy.set(.stalled, for: "shadow-alter stream")
            try await dropSlot(items)
            try await letGo(moment, items)
            let error = try #require(await running.failure() as? MigrationError)
            proxy.set(.calm)
            try await expectLost(error, moment, items, .slotLost)
            await items.close()
            proxy.end()
            try await items.database.server.stop()
        }

        private func dropSlot(_ items: Items) async throws {
            try await eventually("the slot is dropped") {
                do {
                    try await items.session.execute(
                        """
                        SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
                        WHERE database = current_database() AND active;
                        SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()
                        """)
                    return true
                } catch let error as PgError where error.sqlState == .objectInUse {
                    return false
                }
            }
        }

        /// Which the server does by itself, when the slot holds back more than it allows.
        @Test(arguments: try await Servers.outermost(), [Moment.copying, .ready, .baking])
        func aSlotThatTheServerInvalidates(_ binaries: ServerBinaries, _ moment: Moment) async throws {
            let (items, proxy) = try await Proxied.create("slot_invalidated", on: binaries)
            let running = try await bring(to: moment, items, proxy: proxy)
            proxy.set(.stalled, for: "shadow-alter stream")
            try await items.session.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
            try await items.session.execute("SELECT pg_reload_conf()")
            try await eventually("the slot is invalid") {
                try await items.session.execute(Self.writeWAL)
                try await items.session.execute("SELECT pg_switch_wal()")
                try await items.session.execute("CHECKPOINT")
                return try await items.session.isTrue(
                    "NOT EXISTS (SELECT FROM pg_replication_slots WHERE wal_status <> 'lost')")
            }
            try await letGo(moment, items)
            let error = try #require(await running.failure() as? MigrationError)
            proxy.set(.calm)
            try await expectLost(error, moment, items, .slotLost)
            await items.close()
            proxy.end()
            try await items.database.server.stop()
        }

        /// Somebody who stops the stream from being read makes WAL pile up: first the work stops, then the slot goes.
        @Test(arguments: try await Servers.outermost(), [Moment.copying, .paused, .ready, .baking])
        func moreThanTwiceTheLimit(_ binaries: ServerBinaries, _ moment: Moment) async throws {
            let (items, proxy) = try await Proxied.create("slot_limit", on: binaries)
            var options = MigrationOptions.pageByPage
            options.maximumRetainedWAL = 20 << 20
            let running = try await bring(to: moment, items, options, proxy: proxy)
            proxy.set(.stalled, for: "shadow-alter stream")
            try await items.session.execute(Self.writeWAL)
            try await running.until("the work is stopped") {
                running.migration.status.snapshot.currentReason?.contains("the limit is 20.0 MB") == true
                    || moment == .paused
            }
            #expect(try await items.session.isTrue("EXISTS (SELECT FROM pg_replication_slots)"))
            try await items.session.execute(Self.writeWAL)
            try await eventually("the slot is given up") {
                try await items.session.isTrue("NOT EXISTS (SELECT FROM pg_replication_slots)")
            }
            try await letGo(moment, items)
            let error = try #require(await running.failure() as? MigrationError)
            proxy.set(.calm)
            try await expectLost(error, moment, items, .walLimit)
            await items.close()
            proxy.end()
            try await items.database.server.stop()
        }

        /// The work goes on when what was held back is let go of; the stream was read all the time.
        @Test(arguments: try await Servers.outermost())
        func moreThanTheLimit(_ binaries: ServerBinaries) async throws {
            let (items, proxy) = try await Proxied.create("slot_pressure", on: binaries)
            var options = MigrationOptions.pageByPage
            options.maximumRetainedWAL = 20 << 20
            let running = try await bring(to: .copying, items, options, proxy: proxy)
            proxy.set(.stalled, for: "shadow-alter stream")
            try await items.session.execute(Self.writeWAL)
            try await running.until("the work is stopped") { running.migration.status.snapshot.condition == .throttled }
            try await items.barrier.openCopy()
            try await items.session.execute("UPDATE item SET value = 'meanwhile' WHERE id % 3 = 0")
            proxy.set(.calm)
            try await running.until("the slot has let go, and the copy goes on") {
                try await items.session.execute("CHECKPOINT")
                return running.migration.status.snapshot.condition != .throttled
            }
            try await running.untilReady(items.session)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await Proxied.finish(items, proxy)
        }

        /// Before anybody reads from it: a slot is not complete before older transactions have ended, and holds WAL back for as long.
        @Test(arguments: try await Servers.outermost())
        func whileTheCaptureWaits(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("slot_capture", in: try await ThrowawayServer.start(binaries))
            let writer = try await TestSession(items.database, "writer")
            try await writer.execute("BEGIN; UPDATE item SET value = 'open' WHERE id = 1")
            var options = MigrationOptions.quick
            options.maximumRetainedWAL = 20 << 20
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.until("the slot waits for the writer") {
                running.migration.status.snapshot.reason?.contains("the slot waits for older transactions") == true
            }
            for _ in 1...2 { try await items.session.execute(Self.writeWAL) }
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .walLimit && error.message.contains("older transactions"), "\(error)")
            try await eventually("the slot is gone") {
                try await items.session.isTrue("NOT EXISTS (SELECT FROM pg_replication_slots)")
            }
            try await writer.execute("COMMIT")
            try await RunningMigration(Items.plain, items.database).summary()
            try await items.expectExact()
            await writer.close()
            try await items.session.execute("DROP TABLE junk")
            try await items.finish()
            try await items.database.server.stop()
        }
    }
}
