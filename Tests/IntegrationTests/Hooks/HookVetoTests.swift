import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// `on-before-cut-over` has a say, and no hook holds up the data.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct HookVetoTests {
        private func status(_ items: Items) async throws -> MigrationStatus {
            try await StatusReader(connections: items.database.options).status(of: "item")
        }

        @Test(arguments: try await Servers.outermost())
        func aVetoHoldsUntilItAgrees(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_veto", on: binaries)
            let hooks = try HookScripts()
            try hooks.addFile("freeze")
            try hooks.add(
                "on-before-cut-over",
                "test ! -e '\(hooks.path)/freeze' || { echo first; echo 'a release is going out' >&2; exit 7; }")
            let running = RunningMigration(Items.plain, items.database, try hooks.options())
            let reason = "vetoed by on-before-cut-over: a release is going out"
            try await running.until("it was vetoed") { running.migration.status.snapshot.reason == reason }
            try await running.until("everybody may read why") {
                let seen = try await status(items)
                return seen.condition == .waiting && seen.reason == reason
            }
            // By hand it is no different.
            _ = try await running.migration.control.steer(.cutOver)
            for round in 1...2 {
                try await items.session.execute("UPDATE item SET value = 'vetoed \(round)' WHERE id = 1")
                try await running.until("the new table is kept in sync") {
                    try await items.session.isTrue(
                        "EXISTS (SELECT FROM item_green.item WHERE id = 1 AND value = 'vetoed \(round)')")
                }
            }
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            try hooks.removeFile("freeze")
            try await running.summary()
            #expect(hooks.log.contains("on-before-cut-over: first"))
            hooks.remove()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aVetoDoesNotOutliveTheDeadline(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_veto_deadline", on: binaries)
            let hooks = try HookScripts()
            try hooks.add("on-before-cut-over", "exit 1")
            try hooks.add("on-failure", hooks.recording)
            var options = try hooks.options(.quick.manual())
            let first = RunningMigration(Items.plain, items.database, options)
            try await first.untilReady(items.session)
            first.cancel()
            _ = await first.failure()
            options.cutOver = .auto
            options.cutOverDeadline = .after(.seconds(3))
            let error = try #require(
                await RunningMigration(Items.plain, items.database, options).failure() as? MigrationError)
            #expect(error.code == .deadlineMissed)
            #expect(try hooks.recorded().map(\.errorCode) == ["interrupted", "deadline-missed"])
            hooks.remove()
            try await Abort(connections: items.database.options, log: first.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func postponeEndsTheQuestion(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_veto_postpone", on: binaries)
            let hooks = try HookScripts()
            try hooks.addFile("slow")
            try hooks.add(
                "on-before-cut-over",
                "touch '\(hooks.path)/asked'; while test -e '\(hooks.path)/slow'; do sleep 0.05; done")
            let running = RunningMigration(Items.plain, items.database, try hooks.options())
            try await running.until("the hook is at work") { hooks.has("asked") }
            // Nothing stands still, and nobody has a transaction open.
            try await items.session.execute("UPDATE item SET value = 'asking' WHERE id = 1")
            try await running.until("the new table is kept in sync") {
                try await items.session.isTrue("EXISTS (SELECT FROM item_green.item WHERE id = 1 AND value = 'asking')")
            }
            #expect(
                try await !items.session.isTrue(
                    """
                    EXISTS (SELECT FROM pg_locks WHERE relation = 'item'::regclass AND mode = 'AccessExclusiveLock')
                    """))
            _ = try await running.migration.control.steer(.postpone)
            try await running.until("it is ready again, and waits") {
                running.migration.status.snapshot.reason?.contains("postponed") ?? false
            }
            try hooks.removeFile("slow")
            _ = try await running.migration.control.steer(.cutOver)
            try await running.summary()
            hooks.remove()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func abortEndsTheQuestion(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_veto_abort", on: binaries)
            let hooks = try HookScripts()
            try hooks.add("on-before-cut-over", "echo $$ >'\(hooks.path)/pid'; exec sleep 1000")
            try hooks.add("on-failure", hooks.recording)
            let running = RunningMigration(
                Items.plain, items.database, try hooks.options(timeLimit: .seconds(600)))
            try await running.until("the hook is at work") { hooks.isAlive("pid") }
            _ = try await running.migration.control.steer(.abort)
            #expect((await running.failure() as? MigrationError)?.code == .aborted)
            #expect(!hooks.isAlive("pid"))
            #expect(try hooks.recorded().map(\.errorCode) == ["aborted"])
            hooks.remove()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aHookThatTakesTooLongIsAVeto(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_veto_timeout", on: binaries)
            let hooks = try HookScripts()
            try hooks.addFile("slow")
            // The child is what takes long, and holds the pipe.
            try hooks.add("on-before-cut-over", "if test -e '\(hooks.path)/slow'; then sleep 1000; fi")
            let running = RunningMigration(
                Items.plain, items.database, try hooks.options(timeLimit: .milliseconds(300)))
            try await running.until("it was vetoed") {
                running.migration.status.snapshot.reason?
                    .contains("vetoed by on-before-cut-over: it took longer than its limit of 300ms") ?? false
            }
            try hooks.removeFile("slow")
            try await running.summary()
            hooks.remove()
            try await items.expectExact()
            try await items.finish()
        }

        /// The copy, the indexes and everything else go on while a hook is at work, and an interruption ends the hook.
        @Test(arguments: try await Servers.outermost())
        func aSlowHookHoldsUpNothing(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_slow", on: binaries)
            let hooks = try HookScripts()
            try hooks.add("on-startup", "echo $$ >'\(hooks.path)/pid'; exec sleep 1000")
            try hooks.add("on-failure", hooks.recording)
            let running = RunningMigration(
                Items.plain, items.database, try hooks.options(.quick.manual(), timeLimit: .seconds(600)))
            try await running.untilReady(items.session)
            try await running.until("it waits for the cut-over") {
                running.migration.status.snapshot.condition == .waiting
            }
            running.cancel()
            #expect(await running.failure() != nil)
            #expect(try hooks.recorded().map(\.errorCode) == ["interrupted"])
            #expect(hooks.log.contains("the hook on-startup: it was ended together with the run"))
            #expect(!hooks.isAlive("pid"))
            hooks.remove()
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
