import Testing

@testable import ShadowAlter

@Suite struct WatermarksTests {
    private struct Broken: Error {}

    @Test func namesAreUnique() {
        let watermarks = Watermarks(process: "a")
        let names = (0..<100).map { _ in watermarks.register() }
        #expect(Set(names).count == 100)
        #expect(names.allSatisfy { $0.hasPrefix("a-") })
    }

    /// The stream may be quicker than the one who waits.
    @Test func oneThatWasReachedBeforeIsNotWaitedFor() async throws {
        let watermarks = Watermarks(process: "a")
        let id = watermarks.register()
        watermarks.reached(["from another process", id])
        try await watermarks.wait(for: id)
    }

    @Test func eachIsWaitedForByItself() async throws {
        let watermarks = Watermarks(process: "a")
        let (first, second) = (watermarks.register(), watermarks.register())
        async let waiting: Void = watermarks.wait(for: second)
        watermarks.reached([first])
        watermarks.reached([second])
        try await waiting
        try await watermarks.wait(for: first)
    }

    @Test func aFailureEndsAllWaitsPresentAndFuture() async {
        let watermarks = Watermarks(process: "a")
        let (early, late) = (watermarks.register(), watermarks.register())
        let waiting = Task { try await watermarks.wait(for: early) }
        watermarks.failAll(Broken())
        await #expect(throws: Broken.self) { try await waiting.value }
        await #expect(throws: Broken.self) { try await watermarks.wait(for: late) }
        await #expect(throws: Broken.self) { try await watermarks.wait(for: watermarks.register()) }
    }

    @Test func oneCanFailAlone() async throws {
        let watermarks = Watermarks(process: "a")
        let (first, second) = (watermarks.register(), watermarks.register())
        watermarks.fail(first, Broken())
        watermarks.reached([second])
        await #expect(throws: Broken.self) { try await watermarks.wait(for: first) }
        try await watermarks.wait(for: second)
    }

    @Test func aCancelledWaitEnds() async {
        let watermarks = Watermarks(process: "a")
        let id = watermarks.register()
        let task = Task { try await watermarks.wait(for: id) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
