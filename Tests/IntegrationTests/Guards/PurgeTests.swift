import Foundation
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The purge goes by pages: what moves rows of the shadow between them must not let one of them escape.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct PurgeTests {
        /// Somebody rewrites the new table, as a VACUUM FULL of the whole database does, when its first 256 pages are purged: rows that were copied
        /// twice come to lie there, in both versions, and without a beginning anew the key's index cannot be built.
        @Test(arguments: try await Servers.outermost())
        func aRewriteOfTheShadowStartsItAnew(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("purge_rewrite", on: binaries)
            // Room for new row versions on pages behind the barrier; the last rows keep the file from being truncated.
            try await items.session.execute(
                "INSERT INTO item SELECT n, 'value ' || n, repeat(md5(n::text), 4) FROM generate_series(5001, 20000) n")
            try await items.session.execute("DELETE FROM item WHERE id BETWEEN 16000 AND 19900")
            try await items.session.execute("VACUUM item")
            let clauses = "ALTER id TYPE bigint, \(Barrier.copyStops(at: 12_200))"
            let tool = try ToolProcess(
                [
                    "run", "--table", "item", "--alter", clauses,
                    "--strategy", "shadow", "--copy-workers", "1", "--chunk-time", "1ms", "--progress", "off",
                ], on: items.database, failpoint: "\(Failpoint.pagesPurged.name)=pause")
            try await eventually("the copy stands at the barrier") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND granted "
                        + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
            }
            try await items.session.execute("UPDATE item SET value = 'moved' WHERE id BETWEEN 11900 AND 12100")
            // What makes room when it is purged.
            try await items.session.execute("UPDATE item SET value = 'updated' WHERE id BETWEEN 1 AND 9200")
            try await items.barrier.openCopy()
            try await tool.untilPaused()
            try await items.session.execute("VACUUM FULL item_green.item")
            let twice: Int = try await items.session.value(
                """
                SELECT count(*) FROM (SELECT id FROM item_green.item WHERE (ctid::text::point)[0] < 256 GROUP BY id HAVING count(*) > 1) t
                """)
            #expect(twice > 0, "no row is there twice where all are purged: the test tests nothing")
            tool.send(SIGCONT)
            let ended = try await tool.ended(within: .seconds(120))
            #expect(ended.exit == 0, "\(ended)")
            #expect(ended.error.contains("item_green.item was rewritten by somebody else: its purge starts anew"))
            try await items.expectExact()
            try await items.finish()
        }
    }
}
