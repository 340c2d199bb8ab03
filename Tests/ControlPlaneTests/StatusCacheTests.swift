import ShadowAlter
import Synchronization
import Testing

@testable import ControlPlane

@Suite(.timeLimit(.minutes(1))) struct StatusCacheTests {
    /// Counts how often it is asked, and can be told to fail.
    private final class Counter: MigrationControl {
        let asked = Mutex(0)
        let fails = Mutex(false)

        func status() async throws -> MigrationStatus {
            asked.withLock { $0 += 1 }
            // Long enough for others to come while the question is open.
            for _ in 0..<20 { await Task.yield() }
            if fails.withLock({ $0 }) { throw MigrationControlError("it has ended") }
            return try PrometheusTextTests.status()
        }

        func steer(_ command: SteeringCommand) async throws -> String { "" }
        func value(of setting: Setting) -> String { "" }
        func coordinates() async throws -> StreamCoordinates {
            StreamCoordinates(slot: "s", confirmed: nil, current: "0/1")
        }
    }

    private let counter = Counter()
    private var asked: Int { counter.asked.withLock { $0 } }

    @Test func manyThatAskCostOneQuestion() async throws {
        let cache = StatusCache(counter, lifetime: .seconds(3600))
        try await withThrowingTaskGroup(of: MigrationStatus.self) { group in
            for _ in 0..<100 { group.addTask { try await cache.status() } }
            for try await status in group { #expect(status.name == "orders") }
        }
        #expect(asked == 1)
        await cache.forget()
        _ = try await cache.status()
        #expect(asked == 2)
    }

    @Test func anAnswerGrowsOldAndAnErrorIsNotKept() async throws {
        let cache = StatusCache(counter, lifetime: .zero)
        _ = try await cache.status()
        _ = try await cache.status()
        #expect(asked == 2)
        let keeping = StatusCache(counter, lifetime: .seconds(3600))
        counter.fails.withLock { $0 = true }
        await #expect(throws: MigrationControlError.self) { try await keeping.status() }
        counter.fails.withLock { $0 = false }
        _ = try await keeping.status()
        #expect(asked == 4)
    }
}
