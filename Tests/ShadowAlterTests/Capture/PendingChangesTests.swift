import Testing

@testable import ShadowAlter

@Suite struct PendingChangesTests {
    @Test func eachKeyIsThereOnceWithItsLastWriter() {
        var pending = PendingChanges(tableCount: 2)
        for writer: UInt32 in [5, 6, 7] { pending.insert([1], writer: writer, table: 0) }
        pending.insert([1], writer: 9, table: 1)
        #expect(pending.tables[0].writers == [.init(bytes: [1]): 7])
        #expect(pending.tables[1].writers == [.init(bytes: [1]): 9])
        #expect(pending.keyCount == 2)
    }

    /// The collector hands in one array again and again, which has grown with the longest key that it has seen.
    @Test func aKeyIsKeptInMemoryOfItsOwnSize() throws {
        var pending = PendingChanges(tableCount: 1)
        var key: [UInt8] = []
        key.reserveCapacity(1 << 20)
        key += [1, 2, 3]
        pending.insert(key, writer: 1, table: 0)
        let kept = try #require(pending.tables[0].writers.keys.first)
        #expect(kept.bytes == [1, 2, 3])
        #expect(kept.bytes.capacity < 100)
    }

    @Test func theSizeIsThatOfWhatIsThere() {
        var pending = PendingChanges(tableCount: 2)
        #expect(!pending.hasChanges)
        pending.insert([1, 2, 3], writer: 1, table: 0)
        let one = pending.byteCount
        pending.insert([1, 2, 3], writer: 2, table: 0)
        #expect(pending.byteCount == one)
        pending.insert([4, 5, 6], writer: 2, table: 1)
        #expect(pending.byteCount == 2 * one)
        pending.truncate(table: 0)
        #expect(pending.byteCount == one)
        #expect(pending.keyCount == 1)
    }

    @Test func aTruncationAloneIsAChange() {
        var pending = PendingChanges(tableCount: 2)
        pending.truncate(table: 1)
        #expect(pending.hasChanges)
        #expect(!pending.tables[0].isTruncated)
    }
}
