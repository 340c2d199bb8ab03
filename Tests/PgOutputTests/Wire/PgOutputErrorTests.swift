import PgOutput
import Testing

@Suite("Errors")
struct PgOutputErrorTests {
    @Test func emptyMessage() {
        expectError([], .truncated(needed: 1, available: 0), nil, .messageType, at: 0)
    }

    @Test func everyFirstByteIsATypeOrAnError() throws {
        let later = "SEcAbPKrp".utf8
        for first in UInt8.min...UInt8.max where MessageType(rawValue: first) == nil {
            let error = try #require(decodingError([first, 0, 0, 0, 0]))
            #expect(error.messageType == nil && error.field == .messageType && error.offset == 0)
            switch error.reason {
            case .unknownMessageType(first): #expect(!later.contains(first))
            case .unsupportedMessageType(first, _, 2...4): #expect(later.contains(first))
            default: Issue.record("\(error)")
            }
        }
    }

    @Test func typesAreTheServersLetters() {
        let letters = MessageType.allCases.map { Character(UnicodeScalar($0.rawValue)) }
        #expect(String(letters) == "BCORYIUDTM")
        let names = MessageType.allCases.map(\.description)
        #expect(
            names == [
                "Begin", "Commit", "Origin", "Relation", "Type", "Insert", "Update", "Delete", "Truncate", "Message",
            ])
    }

    @Test func theTextSaysWhatWhereAndWhatToDo() throws {
        let negative = try #require(
            decodingError([0x49, 0, 0, 0, 1, 0x4E, 0, 1, 0x74, 0xFF, 0xFF, 0xFF, 0xFB]))
        #expect(
            negative.description
                == "cannot decode a pgoutput Insert message: value length at byte offset 9: the count is negative: -5. "
                + "The message was dropped whole and nothing was taken from it. "
                + "Stream again from the last confirmed position; if the same error returns, check that the slot's "
                + "plugin is pgoutput and that the stream was started with proto_version '1'.")
        let streamed = try #require(decodingError([0x53, 0]))
        #expect(
            streamed.description
                == "cannot decode a pgoutput message of unknown type: message type at byte offset 0: "
                + "'S' (0x53) is a Stream Start message of protocol version 2, and only version 1 is supported. "
                + "The message was dropped whole and nothing was taken from it. "
                + "Start replication with proto_version '1' and without the streaming and two_phase options.")
        #expect(try #require(decodingError([0])).description.contains("no message type is 0x00."))
    }
}
