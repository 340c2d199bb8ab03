import PgOutput
import Testing

@testable import ShadowAlter

/// What may be confirmed to the server, and when: a position that is confirmed too early loses changes, one that is never
/// confirmed fills the disk.
@Suite struct ChangeCollectorTests {
    private static let oid: UInt32 = 4711

    private func collector() -> ChangeCollector { ChangeCollector(tables: [.item()]) }

    private func key(_ text: String) -> PendingChanges.Key { .init(bytes: Array(text.utf8)) }

    private func change(_ id: String, xid: UInt32 = 700, at position: UInt64) -> [StreamMessage] {
        [
            .begin(xid, final: position), .relation(Self.oid), .insert(Self.oid, [id]),
            .commit(position, end: position + 1),
        ]
    }

    @Test func nothingIsConfirmedBeforeItIsDurable() throws {
        let collector = collector()
        try collector.receive(change("1", at: 100))
        #expect(collector.confirmed == nil)
        let taken = collector.take()
        #expect(taken.tables[0].writers == [key("1"): 700])
        #expect(taken.completeUpTo == LSN(rawValue: 101))
        #expect(collector.confirmed == nil)
        collector.confirm(taken)
        #expect(collector.confirmed == LSN(rawValue: 101))
    }

    /// A flush in the middle of a transaction has some of its keys; the position must not pass the transaction's beginning.
    @Test func aTransactionInProgressIsNotConfirmed() throws {
        let collector = collector()
        try collector.receive(change("1", at: 100))
        try collector.receive([.begin(701, final: 200), .insert(Self.oid, ["2"])])
        let first = collector.take()
        #expect(first.tables[0].writers.count == 2)
        collector.confirm(first)
        #expect(collector.confirmed == LSN(rawValue: 101))
        collector.receive(keepalive: LSN(rawValue: 300))
        #expect(collector.confirmed == LSN(rawValue: 101))
        try collector.receive([.insert(Self.oid, ["3"]), .commit(200, end: 201)])
        let second = collector.take()
        #expect(second.tables[0].writers == [key("3"): 701])
        collector.confirm(second)
        #expect(collector.confirmed == LSN(rawValue: 201))
    }

    @Test func anIdleTableIsConfirmedByKeepalives() throws {
        let collector = collector()
        collector.receive(keepalive: LSN(rawValue: 50))
        #expect(collector.confirmed == LSN(rawValue: 50))
        collector.receive(keepalive: LSN(rawValue: 40))
        #expect(collector.confirmed == LSN(rawValue: 50))
    }

    @Test func aKeepaliveWaitsForWhatIsBeingFlushed() throws {
        let collector = collector()
        try collector.receive(change("1", at: 100))
        collector.receive(keepalive: LSN(rawValue: 150))
        #expect(collector.confirmed == nil)
        let taken = collector.take()
        #expect(taken.completeUpTo == LSN(rawValue: 150))
        collector.receive(keepalive: LSN(rawValue: 160))
        #expect(collector.confirmed == nil, "the keys are taken, but not yet durable")
        collector.confirm(taken)
        #expect(collector.confirmed == LSN(rawValue: 150))
        let rest = collector.take()
        #expect(!rest.hasChanges)
        collector.confirm(rest)
        #expect(collector.confirmed == LSN(rawValue: 160))
    }

    @Test func aChangedKeyMakesBothDirty() throws {
        let collector = collector()
        try collector.receive([
            .begin(7, final: 10), .relation(Self.oid), .update(Self.oid, old: ["1"], ["2"]), .update(Self.oid, ["3"]),
            .delete(Self.oid, ["4"]), .commit(10, end: 11),
        ])
        #expect(Set(collector.take().tables[0].writers.keys) == Set(["1", "2", "3", "4"].map(key)))
    }

    @Test func truncateForgetsWhatCameBeforeAndKeepsWhatComesAfter() throws {
        let collector = collector()
        try collector.receive([
            .begin(7, final: 10), .relation(Self.oid), .insert(Self.oid, ["1"]), .truncate([99, Self.oid]),
            .insert(Self.oid, ["2"]), .commit(10, end: 11),
        ])
        let taken = collector.take()
        #expect(taken.tables[0].isTruncated)
        #expect(Array(taken.tables[0].writers.keys) == [key("2")])
    }

    @Test func otherTablesAndOtherMarksAreNotOurs() throws {
        let collector = collector()
        try collector.receive([
            .begin(7, final: 10), .relation(99), .insert(99, ["1"]), .truncate([99]),
            .watermark("x", prefix: "another tool"),
            .watermark("ours"), .commit(10, end: 11),
        ])
        let taken = collector.take()
        #expect(!taken.hasChanges)
        #expect(taken.watermarks == ["ours"])
    }

    /// The server begins again with the transaction that was broken off; its keys may be met twice.
    @Test func aRestartForgetsTheTransactionInProgress() throws {
        let collector = collector()
        try collector.receive([.begin(7, final: 10), .relation(Self.oid), .insert(Self.oid, ["1"])])
        collector.restart()
        collector.receive(keepalive: LSN(rawValue: 5))
        try collector.receive(change("1", xid: 7, at: 10))
        let taken = collector.take()
        #expect(taken.tables[0].writers == [key("1"): 7])
        #expect(taken.completeUpTo == LSN(rawValue: 11))
    }

    @Test func aKeyColumnThatIsGoneStopsTheStream() throws {
        let collector = collector()
        let error = #expect(throws: MigrationError.self) {
            try collector.receive([.begin(7, final: 10), .relation(Self.oid, columns: ["another"])])
        }
        #expect(error?.code == .sourceChanged)
    }

    @Test func readingStopsWhileTooMuchIsWaiting() throws {
        let collector = collector()
        #expect(collector.wantsMore)
        try collector.receive([.begin(7, final: 10), .relation(Self.oid)])
        let long = String(repeating: "k", count: 1 << 20)
        for number in 0..<13 { try collector.receive([.insert(Self.oid, ["\(number)\(long)"])]) }
        #expect(!collector.wantsMore)
        _ = collector.take()
        #expect(collector.wantsMore)
    }
}
