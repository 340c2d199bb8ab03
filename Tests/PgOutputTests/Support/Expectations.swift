import PgOutput
import Testing

/// Decodes and expects success.
func decode(_ bytes: [UInt8]) throws -> PgOutputMessage {
    var decoder = PgOutputDecoder()
    return try decoder.decode(bytes)
}

/// The error of decoding `bytes`; `nil`, and a failure, if there is none. Both layers must agree about it.
func decodingError(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) -> PgOutputError? {
    var decoder = PgOutputDecoder()
    do throws(PgOutputError) {
        let message = try decoder.decode(bytes)
        Issue.record("decoded to \(message) instead of throwing", sourceLocation: sourceLocation)
        return nil
    } catch {
        if [.insert, .update, .delete].contains(error.messageType) {
            do throws(PgOutputError) {
                _ = try decoder.rowFrame(bytes.span.bytes)
                Issue.record("rowFrame accepted what decode refused: \(error)", sourceLocation: sourceLocation)
            } catch let frameError {
                #expect(frameError == error, sourceLocation: sourceLocation)
            }
        }
        return error
    }
}

/// Expects `bytes` to be refused with exactly this error.
func expectError(
    _ bytes: [UInt8], _ reason: PgOutputError.Reason, _ type: MessageType?, _ field: PgOutputField, at offset: Int,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let error = decodingError(bytes, sourceLocation: sourceLocation) else { return }
    #expect(error.reason == reason, sourceLocation: sourceLocation)
    #expect(error.messageType == type, sourceLocation: sourceLocation)
    #expect(error.field == field, sourceLocation: sourceLocation)
    #expect(error.offset == offset, sourceLocation: sourceLocation)
}

/// What every message must do: survive a round trip, refuse each of its own beginnings, refuse a byte too many; and
/// its wire form must be exactly `bytes`, written by hand in the test.
func expectWellBehaved(
    _ message: PgOutputMessage, onTheWire bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(message.encoded == bytes, sourceLocation: sourceLocation)
    #expect(try decode(bytes) == message, sourceLocation: sourceLocation)
    try expectLayersAgree(bytes, sourceLocation: sourceLocation)
    for length in 0..<bytes.count {
        guard let error = decodingError(Array(bytes[..<length]), sourceLocation: sourceLocation) else { continue }
        #expect(error.offset <= length, sourceLocation: sourceLocation)
        switch error.reason {
        case .truncated, .unterminatedString, .countExceedsMessage: break
        default: Issue.record("a message cut at \(length) gave: \(error)", sourceLocation: sourceLocation)
        }
    }
    expectError(
        bytes + [0], .trailingBytes(count: 1), message.messageType, .endOfMessage, at: bytes.count,
        sourceLocation: sourceLocation)
}
