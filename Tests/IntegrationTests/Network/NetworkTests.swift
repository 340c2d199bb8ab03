import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A network that stalls or breaks, for one kind of our connections or for all: the run goes on, or ends with an error that says so, and the same
    /// command continues.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct NetworkTests {
        /// Shorter than what anybody bears with: nobody notices.
        @Test(arguments: try await Servers.outermost(), ["shadow-alter stream", nil])
        func aShortStallIsSatOut(_ binaries: ServerBinaries, _ whose: String?) async throws {
            let (items, proxy) = try await Proxied.create("network_short", on: binaries)
            let running = Proxied.run(Items.gated, items, proxy, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            proxy.set(.stalled, for: whose)
            try await items.session.execute("UPDATE item SET value = 'during the stall' WHERE id % 3 = 0")
            try await items.barrier.openCopy()
            try await Task.sleep(for: .seconds(1))
            proxy.set(.calm)
            try await running.untilReady(items.session)
            proxy.set(.stalled, for: whose)
            try await items.session.execute("DELETE FROM item WHERE id % 7 = 0")
            try await Task.sleep(for: .seconds(1))
            proxy.set(.calm)
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            try await items.expectExact()
            try await Proxied.finish(items, proxy)
        }

        /// Through it nothing comes back to life. What the server works at meanwhile is not mistaken for it: the copy stands at its barrier for
        /// longer than any answer may be on its way.
        @Test(
            arguments: try await Servers.outermost(),
            ["shadow-alter spool", "shadow-alter control", nil])
        func aStallWithoutAnEndEndsTheRun(_ binaries: ServerBinaries, _ whose: String?) async throws {
            let (items, proxy) = try await Proxied.create("network_long", on: binaries)
            let first = Proxied.run(Items.gated, items, proxy, Proxied.impatient(.pageByPage))
            try await items.barrier.waitForCopy(first)
            let copied = try await items.copiedRows()
            try await Task.sleep(for: Proxied.patience * 2)
            #expect(!first.log.contains("given up"), "\(first.log.all)")
            proxy.set(.stalled, for: whose)
            // A spool is heard of when there is something to write.
            try await items.session.execute("UPDATE item SET value = 'meanwhile' WHERE id % 3 = 0")
            try await first.until("a connection is given up") { first.log.contains("given up") }
            // The one that stands at the barrier is asked to come to an end.
            try await items.barrier.openCopy()
            let error = try #require(await first.failure())
            #expect("\(error)".contains("given up") || "\(error)".contains("connection"), "\(error)")
            proxy.set(.calm)
            #expect(try await items.copiedRows() >= copied)
            try await Proxied.expectNoSessions(items)
            let second = Proxied.run(Items.gated, items, proxy, .pageByPage)
            try await second.summary()
            #expect(second.log.contains("continuing migration item"))
            try await items.expectExact()
            try await Proxied.finish(items, proxy)
        }

        /// The reader connects anew when nothing is heard of the server, and the rest never notices.
        @Test(arguments: try await Servers.outermost())
        func aSilentStreamIsConnectedAnew(_ binaries: ServerBinaries) async throws {
            let (items, proxy) = try await Proxied.create("network_stream", on: binaries)
            let running = Proxied.run(Items.plain, items, proxy, Proxied.impatient(.quick.manual()))
            try await running.untilReady(items.session)
            let before = proxy.connections(of: "shadow-alter stream")
            proxy.set(.stalled, for: "shadow-alter stream", newOnes: false)
            try await items.session.execute("UPDATE item SET value = 'unheard of' WHERE id % 3 = 0")
            try await running.until("the stream is connected anew, and in sync") {
                guard proxy.connections(of: "shadow-alter stream") > before else { return false }
                return try await items.session.isTrue(
                    "NOT EXISTS (SELECT FROM item_green.item g JOIN item i ON i.id = g.id WHERE g.value <> i.value)")
            }
            #expect(running.log.contains("nothing has come from the server"), "\(running.log.all)")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.summary()
            proxy.set(.calm)
            try await items.expectExact()
            try await Proxied.finish(items, proxy)
        }

        /// In the middle of the exchange, with the table locked: the application goes on while the network still stands.
        @Test(
            arguments: try await Servers.outermost(),
            ["shadow-alter cut-over", "shadow-alter watermark", nil])
        func noLockOutlivesItsBudget(_ binaries: ServerBinaries, _ whose: String?) async throws {
            let (items, proxy) = try await Proxied.create("network_lock", on: binaries)
            var options = Proxied.impatient(.quick.manual())
            options.lockTimeout = .seconds(4)
            options.cutOverBudget = .seconds(5)
            let running = Proxied.run(Items.plain, items, proxy, options)
            try await running.untilReady(items.session)
            let other = try await TestSession(items.database, "somebody else")
            try await other.execute("BEGIN; LOCK TABLE item IN ROW EXCLUSIVE MODE")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for its lock") {
                try await items.waitsForAccessExclusive(items.barrier.session, applicationName: "shadow-alter cut-over")
            }
            proxy.set(.stalled, for: whose)
            try await other.execute("UPDATE item SET value = 'before' WHERE id = 1; COMMIT")
            // This one stands in the queue behind the lock.
            try await items.session.execute("UPDATE item SET value = 'behind' WHERE id = 2")
            proxy.set(.calm)
            if await running.failure() != nil {
                try await Proxied.expectNoSessions(items)
                try await Proxied.run(Items.plain, items, proxy, .quick).summary()
            }
            try await items.expectExact()
            await other.close()
            try await Proxied.finish(items, proxy)
        }

        @Test(arguments: try await Servers.outermost(), Proxied.Moment.allCases)
        func aCutEndsTheRunAndTheNextContinues(_ binaries: ServerBinaries, _ moment: Proxied.Moment) async throws {
            let (items, proxy) = try await Proxied.create("network_cut", on: binaries)
            var options = MigrationOptions.pageByPage.manual()
            if moment == .baking { options.bake = .untilFinalize }
            let request = moment == .copying ? Items.gated : Items.plain
            let first = Proxied.run(request, items, proxy, options)
            if moment == .copying {
                try await items.barrier.waitForCopy(first)
            } else {
                try await first.untilReady(items.session)
            }
            if moment == .baking {
                try await Steer(connections: items.database.options).run(.cutOver, "item")
                try await first.until(phase: .baking)
            }
            proxy.set(.broken, newOnes: false)
            try await items.session.execute("UPDATE item SET value = 'after the cut' WHERE id % 5 = 0")
            try await items.barrier.openCopy()
            let error = try #require(await first.failure())
            #expect("\(error)".contains("connection") || "\(error)".contains("terminat"), "\(error)")
            proxy.set(.calm)
            try await Proxied.expectNoSessions(items)
            options.cutOver = .auto
            if moment == .baking { options.bake = .duration(.zero) }
            try await Proxied.run(request, items, proxy, options).summary()
            if moment == .baking {
                #expect(try await items.session.isTrue("(SELECT count(*) FROM item) = \(Items.rows)"))
            } else {
                try await items.expectExact()
            }
            try await Proxied.finish(items, proxy)
        }
    }
}
