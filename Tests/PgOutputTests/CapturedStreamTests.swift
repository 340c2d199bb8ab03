import PgOutput
import Testing

/// Real messages: see Fixtures/ and tools/capture-pgoutput.
@Suite("Streams captured from PostgreSQL")
struct CapturedStreamTests {
    @Test("every message re-encodes to its bytes, on both layers", arguments: CapturedVersion.allCases)
    func roundTrip(version: CapturedVersion) throws {
        for stream in [try CapturedStream.text(version), try CapturedStream.binary(version)] {
            for (bytes, message) in zip(stream.raw, stream.messages) {
                try expectWellBehaved(message, onTheWire: bytes)
            }
        }
    }

    @Test("every kind of message was captured", arguments: CapturedVersion.allCases)
    func completeness(version: CapturedVersion) throws {
        let stream = try CapturedStream.text(version)
        #expect(Set(stream.messages.map(\.messageType)) == Set(MessageType.allCases))
    }

    @Test("the statements of the capture are read back", arguments: CapturedVersion.allCases)
    func content(version: CapturedVersion) throws {
        let stream = try CapturedStream.text(version)
        let rows = try ExpectedRows(stream)
        let whole = try ExpectedRelations(stream)
        let parent = whole.parent.relationID
        let child = whole.child.relationID
        let expected: [PgOutputMessage] =
            [.relation(whole.keyed)] + rows.keyed
            + [.relation(whole.wholeRow)] + rows.wholeRow
            + [.relation(whole.byIndex)] + rows.byIndex
            + [
                .type(TypeMessage(typeID: try stream.typeID(), namespace: "shop", name: "mood")),
                .relation(whole.moods),
                .insert(Insert(relationID: whole.moods.relationID, new: [text("1"), text("busy")])),
                .relation(whole.child),
                .truncate(Truncate(relationIDs: [child])),
                .relation(whole.parent),
                .relation(whole.child),
                .truncate(Truncate(relationIDs: [parent, child], cascade: true)),
                .relation(whole.parent),
                .relation(whole.child),
                .truncate(Truncate(relationIDs: [parent, child], restartIdentity: true)),
                .message(
                    LogicalMessage(
                        isTransactional: true, lsn: stream.emitted[0], prefix: "watermark",
                        content: Array("transactional".utf8))),
                .message(
                    LogicalMessage(
                        isTransactional: false, lsn: stream.emitted[1], prefix: "watermark", content: [0, 0xFF])),
                .origin(Origin(commitLSN: LSN(rawValue: 0x16_B374_D848), name: "upstream ü")),
                .relation(whole.parent),
                .insert(Insert(relationID: parent, new: [text("7")])),
            ]
        #expect(stream.body.count == expected.count)
        for (found, wanted) in zip(stream.body, expected) {
            #expect(found == wanted)
        }
    }

    @Test("binary values", arguments: CapturedVersion.allCases)
    func binary(version: CapturedVersion) throws {
        let stream = try CapturedStream.binary(version)
        let keyed = try stream.relationID("keyed")
        // An int4, a text, and a numeric: two digits to base 10,000 (4 and 2,500), weight 0, positive, scale 2.
        let row: Tuple = [
            .binary([0, 0, 0, 4]), .binary(Array("four".utf8)),
            .binary([0, 2, 0, 0, 0, 0, 0, 2, 0, 4, 0x09, 0xC4]),
        ]
        #expect(stream.body.last == .insert(Insert(relationID: keyed, new: row)))
    }

    @Test("transactions are well formed", arguments: CapturedVersion.allCases)
    func transactions(version: CapturedVersion) throws {
        var open: Begin?
        var last = LSN.invalid
        var commits = 0
        for message in try CapturedStream.text(version).messages {
            switch message {
            case .begin(let begin):
                #expect(open == nil)
                #expect(begin.finalLSN > last)
                open = begin
            case .commit(let commit):
                let begin = try #require(open)
                #expect(commit.commitLSN == begin.finalLSN)
                #expect(commit.endLSN > commit.commitLSN)
                #expect(commit.commitTimestamp == begin.commitTimestamp)
                last = commit.endLSN
                open = nil
                commits += 1
            case .message(let message): #expect(message.isTransactional == (open != nil))
            default: #expect(open != nil)
            }
        }
        #expect(open == nil)
        #expect(commits == 15)
    }

    @Test("the commit time of an origin is the one that was set", arguments: CapturedVersion.allCases)
    func originTimestamp(version: CapturedVersion) throws {
        let messages = try CapturedStream.text(version).messages
        let origin = try #require(messages.firstIndex { $0.messageType == .origin })
        guard case .begin(let begin) = messages[origin - 1] else {
            Issue.record("Origin follows \(messages[origin - 1]) instead of Begin")
            return
        }
        // 2024-01-02 03:04:05.678901 UTC is 8,767 days after 2000-01-01, plus 3 h 4 min 5.678901 s.
        #expect(begin.commitTimestamp == (8767 * 86_400 + 3 * 3600 + 4 * 60 + 5) * 1_000_000 + 678_901)
    }
}
