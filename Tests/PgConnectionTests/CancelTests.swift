import PgConnection
import TestSupport
import Testing
import ThrowawayServer

@Suite struct CancelTests {
    @Test(arguments: try await TestServers.all())
    func cancellingTheTaskEndsTheStatement(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        let other = try await connect(version)
        let task = Task { try await connection.cancellable { _ = try $0.execute("SELECT pg_sleep(600)") } }
        try await eventually("the statement runs") {
            try await other.query(
                "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1", [.int(connection.backendPID)]
            ).single().value()
        }
        task.cancel()
        let error = await pgError { try await task.value }
        #expect(error?.sqlState == .queryCanceled)
    }

    /// At any moment: before the statement, while it travels, while it runs. And never the next statement.
    @Test(arguments: try await TestServers.all())
    func cancelsAtAnyMomentButNeverTheNextStatement(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        for round in 0..<40 {
            let task = Task { try await connection.cancellable { _ = try $0.execute("SELECT pg_sleep(600)") } }
            if round % 4 > 0 { try await Task.sleep(for: .microseconds(round * 50)) }
            task.cancel()
            let result = await task.result
            #expect(throws: (any Error).self) { try result.get() }
            for _ in 0..<5 { #expect(try await connection.execute("SELECT 1").single().value() == 1) }
        }
        connection.cancel()
        for _ in 0..<50 { #expect(try await connection.execute("SELECT pg_sleep(0.001), 1").count == 1) }
    }

    @Test(arguments: try await TestServers.all())
    func cancelWithoutATask(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        let other = try await connect(version)
        async let error = pgError { try await connection.execute("SELECT pg_sleep(600)") }
        try await eventually("the statement runs") {
            try await other.query(
                "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1", [.int(connection.backendPID)]
            ).single().value()
        }
        connection.cancel()
        #expect(await error?.sqlState == .queryCanceled)
    }

    /// Far more statements that wait than the cooperative pool has threads; each holds a lock that only the last releases.
    @Test(arguments: try await TestServers.all())
    func manyConnectionsWaitWithoutHoldingUpThePool(_ version: ServerBinaries) async throws {
        let gate = try await connect(version)
        try await gate.execute("SELECT pg_advisory_lock(42)")
        let count = 60
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let connection = try await connect(version)
                    try await connection.execute("SELECT pg_advisory_lock_shared(42)")
                }
            }
            try await eventually("all wait") {
                try await gate.execute(
                    "SELECT count(*) = \(count) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted"
                ).single().value()
            }
            try await gate.execute("SELECT pg_advisory_unlock(42)")
            try await group.waitForAll()
        }
    }
}
