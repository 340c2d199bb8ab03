import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Which hooks are run, when, and what they are told.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct HookEventTests {
        @Test(arguments: try await Servers.outermost())
        func aWholeRunUnderLoad(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("hooks_load", on: binaries)
            try await database.psql(try #require(try MigrationCase("int-to-bigint-identity").sql(.setup)))
            let hooks = try HookScripts()
            try hooks.recordAll()
            let load = try await PartitionLoad.start(
                database,
                MigrationCase("int-to-bigint-identity", key: [KeyColumn("id", .sequence(updatable: true))]).table,
                weights: .mixed)
            do {
                try await load.proceed()
                var options = try hooks.options(.unhurried)
                options.statusInterval = .milliseconds(50)
                let running = RunningMigration(
                    MigrationRequest("orders", "ALTER id TYPE bigint"), database, options)
                #expect(try await running.summary().keysRefreshed > 0)
                try await load.proceed()
            } catch {
                await load.workload.stop()
                throw error
            }
            try await load.finish()

            let all = try hooks.recorded()
            let order = all.map(\.event).filter { $0 != "status" && $0 != "throttle" }
            // The attempt may have to be repeated under load.
            #expect(
                order.filter { $0 != "before-cut-over" }
                    == ["startup", "validated", "before-copy", "copy-complete", "ready", "cut-over", "success"])
            #expect(order.dropLast(2).last == "before-cut-over", "\(order)")
            #expect(all.contains { $0.event == "status" })
            #expect(
                all.filter { order.dropFirst().contains($0.event) }.allSatisfy { $0.tables == "\"public\".\"orders\"" })
            #expect(
                all.allSatisfy { $0.status.name == "orders" && $0.phase == $0.status.phase.rawValue && !$0.isResumed })
            let copied = try #require(all.first { $0.event == "copy-complete" })
            #expect(copied.status.tables.first?.rowsCopied ?? 0 > 0)
            #expect(copied.status.tables.first?.percent == 100)
            #expect(copied.phase == "copying")
            let last = try #require(all.last)
            #expect(last.phase == "done" && last.status.cutOver.lastHoldMs ?? 0 > 0 && last.status.cutOver.attempts > 0)
            #expect(hooks.log.all.isEmpty, "\(hooks.log.all)")
            hooks.remove()
            try await Finalize(connections: database.options).run("orders")
        }

        @Test(arguments: try await Servers.outermost())
        func aPostponedCutOverIsToldOnce(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_postponed", on: binaries)
            let hooks = try HookScripts()
            try hooks.recordAll(except: [.status])
            let running = RunningMigration(Items.plain, items.database, try hooks.options(.quick.manual()))
            try await running.until("it waits, and a hook was told") { try hooks.events().contains("begin-postponed") }
            let waiting = try #require(try hooks.recorded().last)
            #expect(waiting.condition == "waiting" && waiting.reason.contains("cut-over"), "\(waiting)")
            #expect(waiting.status.ready)
            try await items.session.execute("UPDATE item SET value = 'while it waited' WHERE id % 7 = 0")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            #expect(
                try hooks.events() == [
                    "startup", "validated", "before-copy", "copy-complete", "ready", "begin-postponed",
                    "before-cut-over", "cut-over", "success",
                ])
            hooks.remove()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aThrottleBeginsAndEnds(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_throttle", on: binaries)
            let hooks = try HookScripts()
            try hooks.add("on-throttle", hooks.recording)
            var options = try hooks.options(.pageByPage)
            options.niceRatio = 20
            options.throttleFlagFile = hooks.path + "/flag"
            try hooks.addFile("flag")
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.until("the beginning is told") { try hooks.events().count == 1 }
            _ = try await running.migration.control.steer(.set(.niceRatio, "0"))
            try hooks.removeFile("flag")
            try await running.until("the end is told") { try hooks.events().count == 2 }
            try await running.summary()
            let all = try hooks.recorded()
            #expect(all.map(\.throttle) == ["begin", "end"])
            #expect(all.map(\.condition) == ["throttled", "running"])
            #expect(all.allSatisfy { $0.reason.contains("the file \(hooks.path)/flag exists") }, "\(all)")
            hooks.remove()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aRunThatFailsSaysWhy(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_failure", on: binaries)
            try await items.session.execute("UPDATE item SET value = 'no number' WHERE id = 3000")
            try await items.session.execute("UPDATE item SET value = id WHERE id <> 3000")
            let hooks = try HookScripts()
            try hooks.recordAll(except: [.status, .throttle])
            try hooks.add(
                "on-failure-details", "printf '%s | %s\\n' \"$SHADOW_ALTER_ERROR_STATE\" \"$SHADOW_ALTER_ERROR_ADVICE\""
            )
            let running = RunningMigration(
                MigrationRequest("item", "ALTER value TYPE int USING value::int"), items.database, try hooks.options())
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .badData)
            let all = try hooks.recorded()
            #expect(all.map(\.event) == ["startup", "validated", "before-copy", "failure"])
            #expect(all.last?.errorCode == "bad-data")
            #expect(hooks.log.contains("on-failure-details: \(error.state) | \(error.advice)"), "\(hooks.log.all)")
            hooks.remove()
            try await Abort(connections: items.database.options, log: running.log.logger()).run("item")
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// What was refused has told nobody of a plan.
        @Test(arguments: try await Servers.outermost())
        func aRefusalIsAFailure(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_refused", on: binaries)
            try await items.session.execute("ALTER TABLE item SET UNLOGGED")
            let hooks = try HookScripts()
            try hooks.recordAll()
            let running = RunningMigration(Items.plain, items.database, try hooks.options())
            #expect(await running.failure() is Refused)
            #expect(try hooks.recorded().map(\.errorCode) == ["", "refused"])
            #expect(try hooks.events() == ["startup", "failure"])
            hooks.remove()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        @Test(arguments: try await Servers.outermost())
        func aRunThatContinuesSaysSo(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_resumed", on: binaries)
            let first = RunningMigration(Items.plain, items.database, .quick.manual())
            try await first.untilReady(items.session)
            first.cancel()
            _ = await first.failure()
            let hooks = try HookScripts()
            try hooks.recordAll(except: [.status])
            try await RunningMigration(Items.plain, items.database, try hooks.options()).summary()
            let all = try hooks.recorded()
            #expect(all.map(\.event) == ["startup", "ready", "before-cut-over", "cut-over", "success"])
            #expect(all.allSatisfy { $0.isResumed && $0.tables == "\"public\".\"item\"" })
            // It has copied nothing, and knows what was copied.
            #expect(all.first { $0.event == "ready" }?.status.tables.first?.rowsCopied == Int64(Items.rows))
            hooks.remove()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func aNativeChangeHasItsHooks(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("hooks_native", on: binaries)
            let hooks = try HookScripts()
            try hooks.recordAll(except: [.status])
            let veto = "test -e '\(hooks.path)/agreed' || { touch '\(hooks.path)/agreed'; echo not yet; exit 1; }"
            try hooks.add("on-before-cut-over-10-veto", veto)
            let request = MigrationRequest("item", "ADD COLUMN late int DEFAULT 5", strategy: .auto)
            let running = RunningMigration(request, items.database, try hooks.options())
            #expect(try await running.summary().strategy == .native)
            #expect(
                try hooks.events() == [
                    "startup", "validated", "before-cut-over", "before-cut-over", "cut-over", "success",
                ])
            #expect(running.log.contains("vetoed by on-before-cut-over-10-veto: not yet"))
            #expect(try hooks.recorded().last?.phase == "done")
            #expect(try await items.session.isTrue("(SELECT sum(late) FROM item) = 5 * \(Items.rows)"))
            hooks.remove()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }
    }
}
