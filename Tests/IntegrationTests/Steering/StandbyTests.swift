import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// A standby that falls behind stops the work, as the primary sees it and when it is asked itself.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct StandbyTests {
        @Test(arguments: try await Servers.outermost())
        func oneThatStandsStillIsWaitedFor(_ binaries: ServerBinaries) async throws {
            let primary = try await ThrowawayServer.start(binaries)
            let standby = try await primary.startStandby("reports")
            for isListed in [false, true] {
                let items = try await Items.create("standby_\(isListed)", in: primary)
                try await eventually("the standby streams") {
                    try await items.session.isTrue(
                        "EXISTS (SELECT FROM pg_stat_replication WHERE application_name = 'reports' AND state = 'streaming')"
                    )
                }
                try await standby.psql("SELECT pg_wal_replay_pause()")
                var options = MigrationOptions.quick.manual()
                options.maximumReplicaLag = .seconds(1)
                if isListed { options.controlReplicas = [standby.conninfo()] }
                let name = isListed ? "the listed replica 1 is " : "reports is "
                let running = RunningMigration(Items.plain, items.database, options)
                try await running.until("it waits for the standby") {
                    let snapshot = running.migration.status.snapshot
                    return snapshot.condition == .throttled && snapshot.currentReason?.contains(name) == true
                }
                try await standby.psql("SELECT pg_wal_replay_resume()")
                try await running.until("it goes on") { running.log.contains("no longer throttled by replica lag") }
                try await Steer(connections: items.database.options).run(.cutOver, "item")
                try await running.summary()
                try await items.expectExact()
                try await items.finish()
            }
            try await standby.stop()
            try await primary.stop()
        }

        /// It is only behind by what nobody has written.
        @Test(arguments: try await Servers.outermost())
        func oneThatKeepsUpIsNotWaitedFor(_ binaries: ServerBinaries) async throws {
            let primary = try await ThrowawayServer.start(binaries)
            let standby = try await primary.startStandby("reports")
            let items = try await Items.create("standby_well", in: primary)
            var options = MigrationOptions.quick
            options.controlReplicas = [standby.conninfo()]
            options.maximumReplicaLag = .seconds(30)
            let running = RunningMigration(Items.plain, items.database, options)
            try await running.summary()
            #expect(!running.log.contains("throttled:"))
            try await items.expectExact()
            try await items.finish()
            try await standby.stop()
            try await primary.stop()
        }
    }
}
