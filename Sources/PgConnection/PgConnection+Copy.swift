import CLibPQ

extension PgConnection {
    /// Sends `data` to a `COPY … FROM STDIN` in text format and returns the number of rows that the server took.
    ///
    /// All or nothing: throws `server` when it refuses one of the rows, `connectionLost` when it is gone.
    @discardableResult
    public func copyIn(_ sql: String, _ data: [UInt8]) throws -> Int {
        let pointer = try handle.open(for: sql)
        let started = try handle.start(sql)
        guard PQresultStatus(started.pointer) == PGRES_COPY_IN else {
            try handle.refuse(started, statement: sql)
            throw PgError(
                code: .unexpectedResult, message: "the statement does not take COPY data", statement: sql)
        }
        let answer = handle.cancellation.during {
            // Where sending fails the server may have said why before; that is what PQgetResult then returns.
            let sent = data.withUnsafeBytes { send($0, to: pointer) }
            PQputCopyEnd(pointer, sent ? nil : "the sender failed")
            let answer = PQgetResult(pointer)
            handle.drain()
            return answer
        }
        return try handle.check(answer, statement: sql).affectedRows
    }

    private func send(_ bytes: UnsafeRawBufferPointer, to pointer: OpaquePointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let length = min(bytes.count - offset, 1 << 20)
            let base = bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
            guard PQputCopyData(pointer, base, Int32(length)) == 1 else { return false }
            offset += length
        }
        return true
    }
}

/// Rows in COPY's text format.
public struct CopyTextRows: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var isAtRowStart = true

    public init() {}

    /// Takes all rows back; their memory is kept for those to come.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        isAtRowStart = true
    }

    public mutating func append(_ field: some Sequence<UInt8>) {
        separate()
        for byte in field {
            if let letter = Self.escape(byte) { put(escaped: letter) } else { bytes.append(byte) }
        }
    }

    /// Appends a field that lies in somebody else's memory; allocates nothing if there is room.
    public mutating func append(_ field: RawSpan) {
        separate()
        field.withUnsafeBytes { field in
            var rest = field[...]
            // What needs no escape, which is nearly always everything, is copied at once.
            while let index = rest.firstIndex(where: { Self.escape($0) != nil }) {
                bytes.append(contentsOf: rest[..<index])
                if let letter = Self.escape(rest[index]) { put(escaped: letter) }
                rest = rest[(index + 1)...]
            }
            bytes.append(contentsOf: rest)
        }
    }

    /// What follows the backslash in place of a byte that COPY would take for something else; nil for all others.
    private static func escape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\\"): byte
        case UInt8(ascii: "\n"): UInt8(ascii: "n")
        case UInt8(ascii: "\r"): UInt8(ascii: "r")
        case UInt8(ascii: "\t"): UInt8(ascii: "t")
        default: nil
        }
    }

    private mutating func put(escaped letter: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(letter)
    }

    public mutating func append(_ field: some FixedWidthInteger) {
        append(String(field).utf8)
    }

    public mutating func appendNull() {
        separate()
        bytes += [UInt8(ascii: "\\"), UInt8(ascii: "N")]
    }

    public mutating func endRow() {
        bytes.append(UInt8(ascii: "\n"))
        isAtRowStart = true
    }

    private mutating func separate() {
        if !isAtRowStart { bytes.append(UInt8(ascii: "\t")) }
        isAtRowStart = false
    }
}
