import Testing

@testable import ShadowAlter

@Suite struct ChunkSizeTests {
    @Test func startsWithinTheMaximum() {
        #expect(ChunkSize(maximum: 2048).pages == 256)
        #expect(ChunkSize(maximum: 8).pages == 8)
        #expect(ChunkSize(maximum: 0).pages == 1)
    }

    @Test func movesTowardsTheTargetByAFactorOfFourAtMost() {
        var size = ChunkSize(maximum: 10_000)
        size.adapt(took: .milliseconds(200), for: 256, target: .milliseconds(400), maximum: 10_000)
        #expect(size.pages == 512)
        size.adapt(took: .milliseconds(1), for: 512, target: .milliseconds(400), maximum: 10_000)
        #expect(size.pages == 2048)
        size.adapt(took: .seconds(100), for: 2048, target: .milliseconds(400), maximum: 10_000)
        #expect(size.pages == 512)
    }

    @Test func staysWithinOnePageAndTheMaximum() {
        var size = ChunkSize(maximum: 300)
        size.adapt(took: .zero, for: 256, target: .milliseconds(10), maximum: 300)
        #expect(size.pages == 300)
        for _ in 0..<10 { size.adapt(took: .seconds(10), for: size.pages, target: .milliseconds(10), maximum: 300) }
        #expect(size.pages == 1)
    }

    /// The last chunk of a gap is shorter than what was asked for.
    @Test func judgesByThePagesThatWereCopied() {
        var size = ChunkSize(maximum: 10_000)
        size.adapt(took: .milliseconds(50), for: 10, target: .milliseconds(100), maximum: 10_000)
        #expect(size.pages == 20)
    }

    /// Both may change while the copy runs.
    @Test func followsANewMaximumAtOnce() {
        var size = ChunkSize(maximum: 10_000)
        size.adapt(took: .milliseconds(100), for: 256, target: .milliseconds(100), maximum: 10)
        #expect(size.pages == 10)
    }
}
