import FoundationEssentials
import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// How long it will still take, as a run that is alive tells it, and as the state tables do.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct EstimateTests {
        @Test(arguments: try await Servers.outermost())
        func theServerSaysHowFarAnIndexIs(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("estimate_index", on: binaries)
            try await items.session.execute("CREATE INDEX gated ON item (index_barrier(id, \(Items.middle)))")
            try await items.barrier.closeIndex()
            let running = RunningMigration(Items.plain, items.database)
            try await items.barrier.waitForIndex(running)
            // Reading the table is the first half of the work. The row that the index waits at is not quite in the middle: two lanes wrote it.
            let builder: Int32 = try await items.session.value(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4713 AND NOT granted")
            let parts = try await items.session.connection.run { try IndexProgress.read([builder], on: $0) }
            let part = try #require(parts[builder])
            #expect(part > 0 && part < 0.5, "\(part)")
            try await running.until("the run knows it, too") {
                let work = running.migration.status.snapshot.indexWork
                return work.total > 0 && work.done > 0 && work.done < work.total
            }
            let reader = StatusReader(connections: items.database.options)
            try await running.until("the state tables tell of the phase") {
                try await reader.status(of: "item").phase == .indexing
            }
            try await items.barrier.openIndex()
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func theCopysEndIsToldToEverybody(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("estimate_copy", on: binaries)
            var options = MigrationOptions.pageByPage
            options.niceRatio = 60
            let running = RunningMigration(Items.plain, items.database, options)
            let reader = StatusReader(connections: items.database.options)
            var told: MigrationStatus?
            try await running.until("the state tables have an estimate") {
                guard running.migration.status.snapshot.phase == .copying else { return false }
                told = try? await reader.status(of: "item")
                return told?.phaseEtaSeconds != nil
            }
            #expect(told?.phaseEtaSeconds ?? -1 > 0)
            #expect(told?.etaSeconds == nil, "how fast indexes are built is not known yet")
            let encoded = String(decoding: try JSONEncoder().encode(try #require(told)), as: UTF8.self)
            #expect(encoded.contains("\"eta_seconds\":null"), "\(encoded)")
            _ = try await running.migration.control.steer(.pause)
            try await running.until("a run that is paused cannot tell") {
                running.migration.status.snapshot.estimate == Estimate()
            }
            _ = try await running.migration.control.steer(.set(.niceRatio, "0"))
            _ = try await running.migration.control.steer(.resume)
            try await running.summary()
            #expect(try await reader.status(of: "item").etaSeconds == 0)
            try await items.expectExact()
            try await items.finish()
        }
    }
}
