import PgOutput

/// Writes messages as the server does, independently of the decoder, so that round trips prove something.
struct WireEncoder {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ character: Character) {
        bytes += Array(character.utf8)
    }

    mutating func put(_ integer: some FixedWidthInteger) {
        withUnsafeBytes(of: integer.bigEndian) { bytes += $0 }
    }

    mutating func put(_ lsn: LSN) {
        put(lsn.rawValue)
    }

    mutating func put(_ string: String) {
        bytes += Array(string.utf8) + [0]
    }

    mutating func put(counted content: [UInt8]) {
        put(Int32(content.count))
        bytes += content
    }

    mutating func put(_ tuple: Tuple) {
        put(Int16(tuple.count))
        for value in tuple {
            switch value {
            case .null: put("n" as Character)
            case .unchangedToast: put("u" as Character)
            case .text(let content):
                put("t" as Character)
                put(counted: content)
            case .binary(let content):
                put("b" as Character)
                put(counted: content)
            }
        }
    }

    mutating func put(_ old: OldTuple) {
        switch old {
        case .key(let tuple):
            put("K" as Character)
            put(tuple)
        case .full(let tuple):
            put("O" as Character)
            put(tuple)
        }
    }
}
