import ControlPlane
import FoundationEssentials
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The control socket's commands before a migration that runs.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct SocketTests {
        private static func path() -> String {
            FileManager.default.temporaryDirectory.appending(path: "sa-\(UInt64.random(in: 0 ... .max))").path
        }

        @Test(arguments: try await Servers.outermost())
        func everyCommandIsObeyed(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("socket", on: binaries)
            let running = RunningMigration(Items.gated, items.database, .pageByPage.manual())
            try await items.barrier.waitForCopy(running)
            let socket = try await ControlSocket.open(Self.path(), control: running.migration.control) {}
            let client = ControlClient(path: socket.path)

            #expect(try await client.send("help").contains("throttle expire=2h"))
            #expect(try await client.send("status").hasPrefix("item  copying, running"))
            #expect(try await client.send("sup").hasPrefix("item copying, "))
            let slot = try await items.session.column(
                "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'shadow_alter_%' AND database = current_database()"
            )
            #expect(try await client.send("coordinates").contains(try #require(slot.first)))
            let status = try JSONDecoder().decode(
                MigrationStatus.self, from: Data(try await client.send("status json").utf8))
            #expect(status.phase == .copying && status.tables.first?.percent ?? 100 < 100)

            _ = try await client.send("pause")
            #expect(try await client.send("status").contains("paused: paused by `pause`"))
            _ = try await client.send("throttle expire=1h")
            #expect(try await client.send("status").contains("throttled: throttled by `throttle`"))
            #expect(try await client.send("set nice-ratio=0.25") == "nice-ratio=0.25")
            #expect(try await client.send("nice-ratio=?") == "nice-ratio=0.25")
            await #expect(throws: ControlClient.Failure.self) { try await client.send("nice-ratio=much") }
            #expect(try await client.send("nice-ratio=?") == "nice-ratio=0.25")
            try await items.barrier.openCopy()
            _ = try await client.send("no-throttle")
            try await running.untilReady(items.session)
            _ = try await client.send("postpone")
            try await running.until("it says that it is postponed") {
                try await client.send("status").contains("postponed")
            }
            _ = try await client.send("unpostpone")
            try await running.summary()
            // The run is over, and says so.
            await #expect(throws: ControlClient.Failure.self) { try await client.send("status") }
            await socket.close()
            try await items.expectExact()
            try await items.finish()
        }

        @Test(arguments: try await Servers.outermost())
        func abortRemovesEverything(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("socket_abort", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            let socket = try await ControlSocket.open(Self.path(), control: running.migration.control) {}
            _ = try await ControlClient(path: socket.path).send("abort")
            #expect((await running.failure() as? MigrationError)?.code == .aborted)
            await socket.close()
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// Before the copy begins: the slot waits for older transactions, perhaps for hours.
        @Test(arguments: try await Servers.outermost())
        func abortIsHeardWhileTheSlotWaits(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("socket_capture", on: binaries)
            let writer = try await TestSession(items.database, "writer")
            try await writer.execute("BEGIN; INSERT INTO other VALUES (2)")
            let running = RunningMigration(Items.plain, items.database)
            try await running.until("the slot waits") {
                running.migration.status.snapshot.reason?.contains("older transactions") ?? false
            }
            _ = try await running.migration.control.steer(.abort)
            #expect((await running.failure() as? MigrationError)?.code == .aborted)
            try await writer.execute("COMMIT")
            try await Remains(session: items.session).expectNothing()
            await writer.close()
            await items.close()
        }
    }
}
