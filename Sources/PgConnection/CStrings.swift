/// Calls `body` with a NULL-terminated array of C strings.
func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws -> Result
) rethrows -> Result {
    try withOptionalCStrings(strings.map { $0 }) { try body($0) }
}

/// The same with NULL where a string is nil.
func withOptionalCStrings<Result>(
    _ strings: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws -> Result
) rethrows -> Result {
    // One buffer for all of them: no allocation each, and none that could fail and turn a value into NULL.
    var bytes: [CChar] = []
    let offsets: [Int?] = strings.map { string in
        guard let string else { return nil }
        let offset = bytes.count
        bytes.append(contentsOf: string.utf8.lazy.map { CChar(bitPattern: $0) })
        bytes.append(0)
        return offset
    }
    return try bytes.withUnsafeBufferPointer { bytes in
        var pointers: [UnsafePointer<CChar>?] = offsets.map { offset in
            offset.flatMap { bytes.baseAddress?.advanced(by: $0) }
        }
        pointers.append(nil)
        return try pointers.withUnsafeBufferPointer { try body($0.baseAddress) }
    }
}

extension String {
    func trimmingNewlines() -> String {
        var text = Substring(self)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    /// C's strings end at their first NUL, and PostgreSQL's text has none: such a string would arrive cut short.
    var hasNUL: Bool { utf8.contains(0) }
}
