import PgOutput
import Testing

@Suite("Tuples without copies")
struct TupleFrameTests {
    private let head: [UInt8] = [0x49, 0, 0, 0x40, 1, 0x4E]
    /// Columns "42", null, binary 7, unchanged; the values begin at offset 8.
    private let row: [UInt8] = [0, 4, 0x74, 0, 0, 0, 2, 0x34, 0x32, 0x6E, 0x62, 0, 0, 0, 1, 7, 0x75]

    private func frame(of bytes: [UInt8]) throws -> TupleFrame {
        var decoder = PgOutputDecoder()
        let frame = try #require(try decoder.rowFrame(bytes.span.bytes))
        return try #require(frame.new)
    }

    @Test func rangesPointAtTheValues() throws {
        let message = head + row
        let frame = try frame(of: message)
        #expect(frame.count == 4)
        #expect(frame.byteRange == 8..<message.count)
        let found = try (0..<4).map { try frame.value(at: $0, in: message.span.bytes) }
        #expect(found.map { $0?.kind } == [.text, .null, .binary, .unchangedToast])
        #expect(found.map { $0?.byteRange } == [13..<15, 16..<16, 21..<22, 23..<23])
    }

    /// Nulls are passed over by the word, and what comes behind them must be found all the same.
    @Test(arguments: 0...40)
    func runsOfNulls(_ nulls: Int) throws {
        for tail in [[], [TupleValue.text([0x6E, 0x6E, 0x6E])], [.unchangedToast, .null, .text([])]] {
            let tuple = Tuple([.text([0x37])] + Array(repeating: .null, count: nulls) + tail)
            var wire = WireEncoder()
            wire.put(tuple)
            let frame = try frame(of: head + wire.bytes)
            #expect(frame.byteRange == 8..<head.count + wire.bytes.count)
            #expect(try decode(head + wire.bytes) == .insert(Insert(relationID: 0x4001, new: tuple)))
        }
    }

    /// As many as the row has, not as many as there are.
    @Test(arguments: 1...20)
    func nullsBeyondTheRowAreNotPartOfIt(_ nulls: Int) {
        let count: [UInt8] = [0, UInt8(nulls)]
        for surplus in 1...12 {
            expectError(
                head + count + [UInt8](repeating: 0x6E, count: nulls + surplus), .trailingBytes(count: surplus),
                .insert,
                .endOfMessage, at: 8 + nulls)
        }
    }

    @Test("there is no such column", arguments: [-1, 4, Int.max, Int.min])
    func noSuchColumn(column: Int) throws {
        let message = head + row
        #expect(try frame(of: message).value(at: column, in: message.span.bytes) == nil)
    }

    @Test func aFrameThrowsOnTheBytesOfAnotherMessage() throws {
        let frame = try frame(of: head + row)
        for length in 0..<(head + row).count {
            let shorter = Array((head + row)[..<length])
            let error = #expect(throws: PgOutputError.self) { try readTuple(frame, in: shorter.span.bytes) }
            guard case .truncated(let needed, let available) = error?.reason else {
                Issue.record("cut at \(length): \(String(describing: error))")
                continue
            }
            #expect(available >= 0 && available < needed)
        }
        let other = [UInt8](repeating: 0xFF, count: 64)
        #expect(throws: PgOutputError.self) { try readTuple(frame, in: other.span.bytes) }
    }

    @Test func valueErrorsNameTheFieldAndItsOffset() {
        let one = head + [0, 1]
        expectError(one + [0x78], .unexpectedTag(0x78, expected: "'n', 'u', 't' or 'b'"), .insert, .valueKind, at: 8)
        expectError(one + [0x74, 0, 0], .truncated(needed: 4, available: 2), .insert, .valueLength, at: 9)
        expectError(one + [0x74, 0xFF, 0xFF, 0xFF, 0xFF], .negativeCount(-1), .insert, .valueLength, at: 9)
        expectError(one + [0x62, 0x80, 0, 0, 0], .negativeCount(-2_147_483_648), .insert, .valueLength, at: 9)
        expectError(one + [0x62, 0, 0, 0, 3, 1, 2], .truncated(needed: 3, available: 2), .insert, .value, at: 13)
        expectError(
            one + [0x74, 0x7F, 0xFF, 0xFF, 0xFF, 1], .truncated(needed: 2_147_483_647, available: 1), .insert, .value,
            at: 13)
    }

    @Test func valueCountsAreChecked() {
        expectError(head + [0x80, 0], .negativeCount(-32_768), .insert, .valueCount, at: 6)
        expectError(
            head + [0x7F, 0xFF, 0x6E], .countExceedsMessage(count: 32_767, availableBytes: 1), .insert, .valueCount,
            at: 6)
    }

    @Test func otherMessagesHaveNoRowFrame() throws {
        var decoder = PgOutputDecoder()
        for first in UInt8.min...UInt8.max where !"IUD".utf8.contains(first) {
            let bytes = [first] + head
            #expect(try decoder.rowFrame(bytes.span.bytes) == nil)
        }
        let nothing: [UInt8] = []
        #expect(try decoder.rowFrame(nothing.span.bytes) == nil)
    }
}
