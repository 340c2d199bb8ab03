import PgConnection
import PgOutput

/// What the stream has said since the last flush to the spool: each dirty key once.
struct PendingChanges {
    /// A key's columns as one row of COPY text, without the end of the row.
    struct Key: Hashable {
        let bytes: [UInt8]

        /// All bytes at once: an array's own way takes them one by one, which costs more than decoding the row.
        func hash(into hasher: inout Hasher) {
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    struct Table {
        /// The key's last writer. Earlier ones need no check of their own: whoever wrote a row waited for the writer before to be
        /// visible, because both held the row's lock until then.
        var writers: [Key: UInt32] = [:]
        /// The table was emptied after everything spooled so far, and before all of `writers`.
        var isTruncated = false
    }

    var tables: [Table]
    /// The watermarks that were met, in order.
    var watermarks: [String] = []
    /// Everything that was committed before this position is here or was flushed before.
    var completeUpTo: LSN?
    private(set) var byteCount = 0
    private(set) var keyCount = 0

    init(tableCount: Int) {
        tables = Array(repeating: Table(), count: tableCount)
    }

    /// Whether a flush would write anything.
    var hasChanges: Bool { keyCount > 0 || tables.contains { $0.isTruncated } }

    /// Copies `key` if it is new, and allocates nothing if it is not: a row that is written again and again costs no memory.
    mutating func insert(_ key: [UInt8], writer: UInt32, table: Int) {
        if let known = tables[table].writers.index(forKey: Key(bytes: key)) {
            tables[table].writers.values[known] = writer
            return
        }
        // Of its own size: `key` is likely to be used again for another one, and to be longer than it needs to be.
        let copy = [UInt8](unsafeUninitializedCapacity: key.count) { buffer, count in
            count = buffer.update(fromContentsOf: key)
        }
        tables[table].writers[Key(bytes: copy)] = writer
        keyCount += 1
        byteCount += key.count + Self.overhead
    }

    /// Whatever was dirty before is settled by the truncation.
    mutating func truncate(table: Int) {
        keyCount -= tables[table].writers.count
        byteCount -= tables[table].writers.keys.reduce(0) { $0 + $1.bytes.count + Self.overhead }
        tables[table] = Table(isTruncated: true)
    }

    /// A rough figure of what an array and its place in a dictionary take beside the bytes themselves.
    private static let overhead = 64
}
