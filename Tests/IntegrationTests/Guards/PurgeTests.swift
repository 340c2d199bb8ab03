import Foundation
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The purge goes by pages: what moves rows of the shadow between them must not let one of them escape.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct PurgeTests {
        /// Somebody rewrites the new table, as a VACUUM FULL of the whole database does, when some pages are purged: rows come to lie there that were
        /// copied twice, and without a beginning anew the key's index cannot be built.
        @Test(arguments: try await Servers.outermost())
        func aRewriteOfTheShadowStartsItAnew(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("purge_rewrite", on: binaries)
            // Room for new row versions on pages behind the first chunk, which has 256; the last rows keep the file from being truncated.
            try await items.session.execute(
                "INSERT INTO item SELECT n, 'value ' || n, repeat(md5(n::text), 4) FROM generate_series(5001, 15000) n")
            try await items.session.execute("DELETE FROM item WHERE id BETWEEN 12000 AND 14900")
            try await items.session.execute("VACUUM item")
            guard case .alter(let table, let clauses) = Items.gated.change else { return }
            let tool = try ToolProcess(
                [
                    "run", "--table", table, "--alter", clauses, "--strategy", "shadow", "--copy-workers", "1",
                    "--progress", "off",
                ], on: items.database, failpoint: "\(Failpoint.pagesPurged.name)=pause")
            try await eventually("the copy stands at the barrier") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND granted "
                        + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
            }
            try await items.session.execute("UPDATE item SET value = 'moved' WHERE id BETWEEN 1 AND 2800")
            try await items.barrier.openCopy()
            try await tool.untilPaused()
            try await items.session.execute("VACUUM FULL item_green.item")
            let moved: Int = try await items.session.value(
                "SELECT count(*) FROM item_green.item WHERE id <= 2800 AND (ctid::text::point)[0] < 256")
            #expect(moved > 0, "no row has moved to where all are purged: the test tests nothing")
            tool.send(SIGCONT)
            let ended = try await tool.ended(within: .seconds(120))
            #expect(ended.exit == 0, "\(ended)")
            #expect(ended.error.contains("item_green.item was rewritten by somebody else: its purge starts anew"))
            try await items.expectExact()
            try await items.finish()
        }
    }
}
