import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// A transaction on a standby whose snapshot is from before the new table was complete finds rows missing when it reads that table: it is waited for
    /// like one on the primary, where the standby says that it is there.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct StandbySnapshotTests {
        /// What the standby feeds back is the snapshot of the walsender or of its slot.
        private static let slots = [nil, "reports"]

        private struct Pair {
            let primary: ThrowawayServer
            let standby: ThrowawayServer
            let items: Items
            /// A backup on the standby, which has read another table only.
            let reader: TestSession

            init(_ binaries: ServerBinaries, slot: String?) async throws {
                primary = try await ThrowawayServer.start(binaries)
                items = try await Items.create("standby_snapshot", in: primary)
                var settings = ["hot_standby_feedback": "on", "wal_receiver_status_interval": "1s"]
                if let slot {
                    try await primary.psql("SELECT pg_create_physical_replication_slot('\(slot)', true)")
                    settings["primary_slot_name"] = slot
                }
                standby = try await primary.startStandby("reports", settings: settings)
                reader = try await TestSession(TestDatabase(server: standby, name: items.database.name), "pg_dump")
                try await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other")
                let place = slot.map { "pg_replication_slots WHERE slot_name = '\($0)' AND xmin" }
                try await eventually("the standby has said so") { [items] in
                    try await items.session.isTrue(
                        "EXISTS (SELECT FROM \(place ?? "pg_stat_replication WHERE backend_xmin") IS NOT NULL)")
                }
            }

            /// How many rows the reader sees, of the table that has the name there when everything has arrived.
            func rowsOnTheStandby() async throws -> [String] {
                let present = try await items.session.column("SELECT pg_current_wal_insert_lsn()")[0]
                try await eventually("everything has arrived") {
                    try await standby.psql("SELECT pg_last_wal_replay_lsn() >= '\(present)'") == "t"
                }
                return try await reader.column("SELECT count(*) FROM item")
            }

            func stop() async throws {
                await reader.close()
                try await items.finish()
                try await standby.stop()
                try await primary.stop()
            }
        }

        @Test(arguments: try await Servers.outermost(), slots)
        func anOldOneIsWaitedFor(_ binaries: ServerBinaries, _ slot: String?) async throws {
            let pair = try await Pair(binaries, slot: slot)
            let running = RunningMigration(Items.plain, pair.items.database)
            try await running.until("it says that it waits") {
                running.log.contains("reports, ") && running.log.contains("feeds back a standby's snapshot")
            }
            let status = try await StatusReader(connections: pair.items.database.options).status(of: "item")
            #expect(status.blockers.map(\.reason) == [.standbySnapshot], "\(status.blockers)")
            #expect(status.blockers.allSatisfy { $0.protection != nil })
            try await expectAnybodySeesIt(pair.items)
            #expect(try await pair.rowsOnTheStandby() == ["\(Items.rows)"])
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            // One that begins now sees everything.
            try await pair.reader.execute("COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM other")
            try await running.summary()
            #expect(try await pair.rowsOnTheStandby() == ["\(Items.rows)"])
            try await pair.items.expectExact()
            try await pair.stop()
        }

        /// No privilege on other roles' sessions is needed.
        private func expectAnybodySeesIt(_ items: Items) async throws {
            try await items.session.execute(
                "CREATE ROLE anybody LOGIN; GRANT USAGE ON SCHEMA shadow_alter TO anybody; GRANT SELECT ON shadow_alter.migration TO anybody"
            )
            let anybody = try await TestSession(items.database, user: "anybody")
            let id: Int64 = try await anybody.value("SELECT id FROM shadow_alter.migration")
            let found = try await anybody.connection.run { try StandbySnapshots(migrationID: id).find(on: $0) }
            #expect(found.count == 1 && found.allSatisfy { $0.protection != nil }, "\(found)")
            await anybody.close()
        }

        /// What is waited for, and what it costs who does not want to wait.
        @Test(arguments: try await Servers.outermost(), ["set", "run"])
        func itIsPassedOverOnRequest(_ binaries: ServerBinaries, _ command: String) async throws {
            let pair = try await Pair(binaries, slot: nil)
            let connections = pair.items.database.options
            var options = MigrationOptions.quick.manual()
            if command == "run" { options.standbySnapshots = .ignore }
            let running = RunningMigration(Items.plain, pair.items.database, options)
            try await running.untilReady(pair.items.session)
            if command == "set" {
                let blockers = try await StatusReader(connections: connections).status(of: "item").blockers
                #expect(blockers.map(\.reason) == [.standbySnapshot], "\(blockers)")
                #expect(try await running.migration.control.status().blockers.map(\.reason) == [.standbySnapshot])
                try await Steer(connections: connections).run(.set(.standbySnapshots, "ignore"), "item")
                #expect(try await StatusReader(connections: connections).status(of: "item").blockers.isEmpty)
            }
            try await running.until("nobody is in the way") {
                try await running.migration.control.status().blockers.isEmpty
            }
            try await Steer(connections: connections).run(.cutOver, "item")
            try await running.summary()
            #expect(running.log.contains("the cut-over does not wait, as `standby-snapshots` says: walsender"))
            #expect(try await pair.rowsOnTheStandby() == ["0"])
            try await pair.items.expectExact()
            try await pair.stop()
        }
    }
}
