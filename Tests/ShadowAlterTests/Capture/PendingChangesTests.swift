import Testing

@testable import ShadowAlter

@Suite struct PendingChangesTests {
    @Test func eachKeyIsThereOnceWithItsLastWriter() {
        var pending = PendingChanges(tableCount: 2)
        for writer: UInt32 in [5, 6, 7] { pending.insert([1], writer: writer, table: 0) }
        pending.insert([1], writer: 9, table: 1)
        #expect(pending.tables[0].writers == [[1]: 7])
        #expect(pending.tables[1].writers == [[1]: 9])
        #expect(pending.keyCount == 2)
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
