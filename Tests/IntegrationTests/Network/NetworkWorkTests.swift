import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The network stalls or breaks while the server works for long at one statement of ours.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct NetworkWorkTests {
        /// What the server works at, under the name of the session that has asked for it.
        enum Work: String, Sendable, CaseIterable {
            case verifying = "shadow-alter verify"
            case indexing = "shadow-alter index"

            var request: MigrationRequest {
                switch self {
                case .verifying:
                    MigrationRequest(
                        "item", "ALTER id TYPE bigint, \(Barrier.verificationStops(at: Items.middle))")
                case .indexing: Items.plain
                }
            }

            /// Begins a run, and returns when the server stands in the middle of the work.
            func begin(_ items: Items, _ proxy: NetworkProxy, _ options: MigrationOptions) async throws
                -> RunningMigration
            {
                switch self {
                case .verifying: try await items.barrier.closeVerification()
                case .indexing:
                    try await items.session.execute("CREATE INDEX item_barrier ON item (index_barrier(id, 3000))")
                    try await items.barrier.closeIndex()
                }
                let running = Proxied.run(request, items, proxy, options)
                switch self {
                case .verifying: try await items.barrier.waitForVerification(running)
                case .indexing: try await items.barrier.waitForIndex(running)
                }
                return running
            }

            func open(_ items: Items) async throws {
                switch self {
                case .verifying: try await items.barrier.openVerification()
                case .indexing: try await items.barrier.openIndex()
                }
            }
        }

        @Test(arguments: try await Servers.outermost(), Work.allCases)
        func aShortStallIsSatOut(_ binaries: ServerBinaries, _ work: Work) async throws {
            let (items, proxy) = try await Proxied.create("network_work_short", on: binaries)
            let running = try await work.begin(items, proxy, .pageByPage)
            proxy.set(.stalled)
            try await items.session.execute("UPDATE item SET value = 'during the stall' WHERE id % 3 = 0")
            try await work.open(items)
            try await Task.sleep(for: .seconds(1))
            proxy.set(.calm)
            try await running.summary()
            try await items.expectExact()
            try await Proxied.finish(items, proxy)
        }

        /// However long the server works, nobody mistakes it for a network that stands still; and however long the network stands still, what the
        /// server has done meanwhile is not done twice, and not left out.
        @Test(
            arguments: try await Servers.outermost(),
            [(Work.verifying, Work.verifying.rawValue), (.indexing, Work.indexing.rawValue), (.indexing, nil)]
                as [(Work, String?)])
        func aStallWithoutAnEndEndsTheRun(_ binaries: ServerBinaries, _ stall: (Work, String?)) async throws {
            let (work, whose) = stall
            let (items, proxy) = try await Proxied.create("network_work_long", on: binaries)
            let first = try await work.begin(items, proxy, Proxied.impatient(.pageByPage))
            if whose != nil {
                try await Task.sleep(for: Proxied.patience * 2)
                #expect(!first.log.contains("given up"), "\(first.log.all)")
            }
            proxy.set(.stalled, for: whose)
            try await items.session.execute("UPDATE item SET value = 'meanwhile' WHERE id % 3 = 0")
            try await work.open(items)
            try await first.until("a connection is given up") { first.log.contains("given up") }
            try await expectContinuable(first)
            proxy.set(.calm)
            try await goOn(work, items, proxy)
        }

        /// The server learns of it by itself, while it works.
        @Test(arguments: try await Servers.outermost(), Work.allCases)
        func aCutEndsTheRun(_ binaries: ServerBinaries, _ work: Work) async throws {
            let (items, proxy) = try await Proxied.create("network_work_cut", on: binaries)
            let first = try await work.begin(items, proxy, .pageByPage)
            proxy.set(.broken, newOnes: false)
            try await items.session.execute("UPDATE item SET value = 'after the cut' WHERE id % 5 = 0")
            try await expectContinuable(first)
            proxy.set(.calm)
            try await Proxied.expectNoSessions(items)
            try await work.open(items)
            try await goOn(work, items, proxy)
        }

        private func expectContinuable(_ run: RunningMigration) async throws {
            let error = try #require(await run.failure() as? MigrationError)
            #expect(error.code == .server, "\(error)")
            #expect(error.state.contains("what was recorded is kept"), "\(error)")
            #expect(error.advice.contains("run the same command again"), "\(error)")
        }

        private func goOn(_ work: Work, _ items: Items, _ proxy: NetworkProxy) async throws {
            try await Proxied.expectNoSessions(items)
            let second = Proxied.run(work.request, items, proxy, .pageByPage)
            try await second.summary()
            #expect(second.log.contains("continuing migration item"), "\(second.log.all)")
            try await items.expectExact()
            try await Proxied.finish(items, proxy)
        }
    }
}
