import PgOutput
import Testing

/// Reads a row message through the allocation-free layer alone.
func readThroughFrames(_ bytes: [UInt8]) throws -> PgOutputMessage? {
    var decoder = PgOutputDecoder()
    let span = bytes.span.bytes
    guard let frame = try decoder.rowFrame(span) else { return nil }
    switch frame {
    case .insert(let insert):
        return .insert(Insert(relationID: frame.relationID, new: try readTuple(insert.new, in: span)))
    case .update(let update):
        return .update(
            Update(
                relationID: frame.relationID, old: try update.old.map { try readOld($0, in: span) },
                new: try readTuple(update.new, in: span)))
    case .delete(let delete):
        return .delete(Delete(relationID: frame.relationID, old: try readOld(delete.old, in: span)))
    }
}

/// Expects the allocation-free layer to read a row message as `decode` does, and to pass over every other message.
func expectLayersAgree(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
    let message = try decode(bytes)
    let row = try readThroughFrames(bytes)
    switch message {
    case .insert, .update, .delete: #expect(row == message, sourceLocation: sourceLocation)
    default: #expect(row == nil, sourceLocation: sourceLocation)
    }
}

private func readOld(_ old: OldTupleFrame, in bytes: RawSpan) throws -> OldTuple {
    switch old {
    case .key(let tuple): .key(try readTuple(tuple, in: bytes))
    case .full(let tuple): .full(try readTuple(tuple, in: bytes))
    }
}

func readTuple(_ frame: TupleFrame, in bytes: RawSpan) throws -> Tuple {
    var result: [TupleValue] = []
    var values = frame.values
    while let value = try values.next(in: bytes) {
        let content = bytes.extracting(value.byteRange).withUnsafeBytes { [UInt8]($0) }
        switch value.kind {
        case .null: result.append(.null)
        case .unchangedToast: result.append(.unchangedToast)
        case .text: result.append(.text(content))
        case .binary: result.append(.binary(content))
        }
    }
    #expect(result.count == frame.count)
    return Tuple(result)
}
