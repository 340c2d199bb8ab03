/// Writes row messages as the walsender sends them ("Logical Replication Message Formats", protocol version 1).
struct MessageWriter {
    /// A row as it is sent.
    enum Value {
        case text(String)
        case null
        case unchangedToast
    }

    /// The table's identifier. Its value does not matter.
    private static let relationID: UInt32 = 16_384

    private(set) var bytes: [UInt8] = []

    static func insert(_ new: [Value]) -> [UInt8] {
        var writer = MessageWriter("I")
        writer.put("N", new)
        return writer.bytes
    }

    /// - Parameters:
    ///   - old: the row before, where it is sent.
    ///   - oldTag: `K` for a key, `O` for a whole row.
    static func update(old: [Value]? = nil, oldTag: Character = "K", _ new: [Value]) -> [UInt8] {
        var writer = MessageWriter("U")
        if let old { writer.put(oldTag, old) }
        writer.put("N", new)
        return writer.bytes
    }

    static func delete(_ old: [Value]) -> [UInt8] {
        var writer = MessageWriter("D")
        writer.put("K", old)
        return writer.bytes
    }

    private init(_ type: Character) {
        bytes += Array(String(type).utf8)
        put(Self.relationID)
    }

    private mutating func put(_ tag: Character, _ row: [Value]) {
        bytes += Array(String(tag).utf8)
        put(Int16(row.count))
        for value in row {
            switch value {
            case .null: bytes.append(UInt8(ascii: "n"))
            case .unchangedToast: bytes.append(UInt8(ascii: "u"))
            case .text(let text):
                bytes.append(UInt8(ascii: "t"))
                put(Int32(text.utf8.count))
                bytes += Array(text.utf8)
            }
        }
    }

    private mutating func put(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += Array($0) }
    }
}
