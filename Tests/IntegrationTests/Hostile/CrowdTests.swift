import PgConnection
import ShadowAlter
import Synchronization
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Clients that never stop.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct CrowdTests {
        /// Clients that update the same few rows without a pause, during everything and in the queue behind the lock. Each acknowledged
        /// update counts once, and nobody is told anything but that it was done.
        @Test(arguments: try await Servers.outermost())
        func hundredsOfClientsOnHotRows(_ binaries: ServerBinaries) async throws {
            let clients = 200
            let server = try await ThrowawayServer.start(binaries, settings: ["max_connections": "\(clients + 50)"])
            let items = try await Items.create("hostile_queue", in: server)
            try await items.session.execute("ALTER TABLE item ADD n bigint NOT NULL DEFAULT 0")
            var options = MigrationOptions.quick.manual()
            // On a machine with two cores, with two hundred clients on them.
            options.cutOverBudget = .seconds(10)
            options.lockTimeout = .seconds(5)
            let running = RunningMigration(Items.plain, items.database, options)
            let isOver = EndFlag()
            let acknowledged = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<clients {
                    group.addTask {
                        let session = try await TestSession(items.database, "client \(client)")
                        let row = 1 + client % 5
                        while !isOver.isSet {
                            try await session.execute("UPDATE item SET n = n + 1 WHERE id = \(row)")
                            acknowledged.count(row)
                            if client >= 5 { try await Task.sleep(for: .milliseconds(200)) }
                        }
                        await session.close()
                    }
                }
                group.addTask {
                    defer { isOver.set() }
                    try await running.untilReady(items.session)
                    try await Steer(connections: items.database.options).run(.cutOver, "item")
                    try await running.summary()
                    let then = acknowledged.all
                    try await eventually("the clients go on with the new table") {
                        acknowledged.all > then + clients
                    }
                }
                try await group.waitForAll()
            }
            for (row, count) in acknowledged.byRow {
                #expect(try await items.session.value("SELECT n FROM item WHERE id = \(row)", as: Int.self) == count)
            }
            let all = acknowledged.all
            let cutOver = running.migration.status.snapshot.cutOver
            print(
                "\(binaries): \(all) updates by \(clients) clients, \(cutOver.attempts) attempt(s), lock held \(cutOver.lastHoldMs ?? 0) ms"
            )
            try await items.finish()
            try await server.stop()
        }
    }
}

/// Acknowledged updates by row.
private final class Tally: Sendable {
    private let counts = Mutex<[Int: Int]>([:])

    func count(_ row: Int) { counts.withLock { $0[row, default: 0] += 1 } }
    var byRow: [Int: Int] { counts.withLock { $0 } }
    var all: Int { byRow.values.reduce(0, +) }
}
