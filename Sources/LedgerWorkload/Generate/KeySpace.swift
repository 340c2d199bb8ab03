/// The keys that one client may create: nobody else ever creates one of them.
///
/// The ordinals of partition p out of n are p, p + n, p + 2n, …
struct KeySpace: Sendable {
    private let columns: [KeyKind]
    private let partitions: Int
    private var next: Int
    /// Keys that the sequence has given out and nobody has used, where the key has a sequence.
    private(set) var reserve: [Key] = []

    init(_ table: WorkloadTable, partition: Int, of partitions: Int, firstOrdinal: Int) {
        columns = table.key.map(\.kind)
        self.partitions = partitions
        next = firstOrdinal * partitions + partition
    }

    mutating func refill(_ keys: [Key]) {
        reserve = keys.reversed() + reserve
    }

    /// A number that belongs to this partition alone.
    mutating func takeOrdinal() -> Int64 {
        defer { next += partitions }
        return Int64(next)
    }

    /// A key that was never in use.
    mutating func take() -> Key {
        if let key = reserve.popLast() { return key }
        let ordinal = takeOrdinal()
        return Key(parts: columns.map { Self.text($0, ordinal) })
    }

    private static func text(_ kind: KeyKind, _ ordinal: Int64) -> String {
        switch kind {
        case .integer(let from): String(from + ordinal)
        case .sequence: String(ordinal)
        case .quotient(let by, let from): String(from + ordinal / by)
        case .remainder(let by): String(ordinal % by)
        case .text(let prefix): prefix + hex(SplitMix64.mix(UInt64(ordinal)))
        case .uuid: uuid(UInt64(ordinal))
        }
    }

    /// RFC 9562, version 4 in form: the version and variant bits are fixed, and as the second half keeps the ordinal's
    /// low 60 bits mixed, different ordinals give different values.
    private static func uuid(_ ordinal: UInt64) -> String {
        let first = hex(SplitMix64.mix(ordinal ^ 0x5851_F42D_4C95_7F2D))
        let second = hex(ordinal &* 0x9E37_79B9_7F4A_7C15 & 0x0FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
        let parts = [first.prefix(8), first.dropFirst(8).prefix(4), "4" + first.suffix(3), second.prefix(4)]
        return (parts + [second.suffix(12)]).joined(separator: "-")
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
