import Testing

@testable import ShadowAlter

@Suite struct ChunkQueueTests {
    @Test func handsOutEveryPageOnce() {
        var queue = ChunkQueue(pages: 10)
        var seen: [Int64] = []
        while let range = queue.next(3) { seen += Array(range) }
        #expect(seen == Array(0..<10))
    }

    @Test func continuesInTheGaps() {
        var queue = ChunkQueue(pages: 20, done: [10..<12, 0..<4, 4..<5, 18..<20])
        #expect(queue.remaining == 11)
        #expect(queue.next(100) == 5..<10)
        #expect(queue.next(4) == 12..<16)
        #expect(queue.next(4) == 16..<18)
        #expect(queue.next(4) == nil)
    }

    @Test func anEmptyTableHasNoChunks() {
        var queue = ChunkQueue(pages: 0)
        #expect(queue.next(1) == nil)
    }

    @Test func aTableThatShrankHasNoMore() {
        var queue = ChunkQueue(pages: 3, done: [0..<8])
        #expect(queue.next(1) == nil)
    }
}
