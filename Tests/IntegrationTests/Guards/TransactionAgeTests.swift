import ControlPlane
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// No session of ours keeps a transaction open for longer than its piece of work, and none waits in one for anybody.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct TransactionAgeTests {
        /// A transaction as it was seen last.
        private struct Seen {
            var who: String
            var phase: String
            var chunks: Int
            var lasts = 0
            var phases: Set<String> = []
        }

        /// Looks as often as it can, from the plan to the end of the bake.
        @Test(arguments: try await Servers.outermost())
        func duringAWholeRun(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("transaction_age", on: binaries)
            var options = MigrationOptions.pageByPage
            options.niceRatio = 2
            options.bake = .duration(.seconds(3))
            let running = RunningMigration(Items.plain, items.database, options)
            let hasEnded = EndFlag()
            async let watched = watch(items, until: hasEnded)
            async let written = write(items, until: hasEnded)
            let failure = await running.failure()
            hasEnded.set()
            let (transactions, longestIdle, samples) = try await watched
            _ = try await written
            #expect(failure == nil, "\(String(describing: failure))")
            #expect(samples > 100 && transactions.count > 20, "too little was seen")
            for seen in transactions.values {
                // A chunk and its record are one transaction; what is seen of others meanwhile depends on who is quicker.
                #expect(seen.lasts <= 4, "\(seen.who) had a transaction open while \(seen.lasts) chunks were copied")
                #expect(seen.phases.count <= 2, "\(seen.who) had a transaction open in the phases \(seen.phases)")
            }
            print(
                "\(binaries): \(samples) looks, \(transactions.count) transactions, longest idle in one \(longestIdle) s"
            )
            // A loaded machine may keep us from a processor; what waits for anybody waits for longer.
            #expect(longestIdle < 5)
            try await items.finish()
        }

        private func watch(
            _ items: Items, until hasEnded: EndFlag
        ) async throws -> (transactions: [String: Seen], longestIdle: Double, samples: Int) {
            let session = try await TestSession(items.database, "watcher")
            var transactions: [String: Seen] = [:]
            var longestIdle = 0.0
            var samples = 0
            while !hasEnded.isSet {
                samples += 1
                let rows = try await session.connection.run { connection -> [(String, String, Double, String, Int)] in
                    do {
                        return try connection.query(
                            """
                            SELECT pid || ' ' || xact_start AS id, application_name, CASE WHEN state LIKE 'idle in%'
                                THEN extract(epoch FROM clock_timestamp() - state_change) ELSE 0 END::float8 AS idle,
                                (SELECT min(phase) FROM shadow_alter.migration WHERE forward_id IS NULL) AS phase,
                                (SELECT count(*) FROM shadow_alter.chunk) AS chunks
                            FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'shadow-alter %'
                                AND backend_type = 'client backend' AND xact_start IS NOT NULL
                            """
                        ).rows.map { row in
                            (
                                try row.get("id"), try row.get("application_name"), try row.get("idle"),
                                try row.optional("phase") ?? "none", try row.get("chunks")
                            )
                        }
                    } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
                        return []
                    }
                }
                for (id, who, idle, phase, chunks) in rows {
                    longestIdle = max(longestIdle, idle)
                    var seen = transactions[id] ?? Seen(who: who, phase: phase, chunks: chunks)
                    if phase == "copying", seen.phase == "copying" {
                        seen.lasts = max(seen.lasts, chunks - seen.chunks)
                    }
                    seen.phases.insert(phase)
                    transactions[id] = seen
                }
                try await Task.sleep(for: .milliseconds(2))
            }
            await session.close()
            return (transactions, longestIdle, samples)
        }

        private func write(_ items: Items, until hasEnded: EndFlag) async throws {
            let session = try await TestSession(items.database, "writer")
            while !hasEnded.isSet {
                try await session.execute(
                    "UPDATE item SET value = md5(random()::text) WHERE id = 1 + floor(random() * 5000)")
                try await Task.sleep(for: .milliseconds(2))
            }
            await session.close()
        }

        @Test(arguments: try await Servers.outermost())
        func theStatusShowsTheOldest(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("transaction_status", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage)
            try await items.barrier.waitForCopy(running)
            let reader = StatusReader(connections: items.database.options)
            try await eventually("it grows older than two seconds") {
                let status = try await reader.status(of: "item")
                return try #require(status.oldestTransactionSeconds) > 2
                    && StatusText(status: status).lines.contains { $0.hasPrefix("  transactions ") }
            }
            try await items.barrier.openCopy()
            try await running.summary()
            #expect(try await reader.status(of: "item").oldestTransactionSeconds == nil)
            try await items.finish()
        }
    }
}
