/// A row as the application sees it: the canonical text of every column of `WorkloadTable.columns`, in their order.
struct LogicalRow: Hashable, Sendable {
    /// nil is NULL.
    var values: [String?]

    /// What the server computes with `CanonicalReading.digest`.
    var digest: MD5Digest {
        var bytes: [UInt8] = []
        for value in values {
            if let value {
                bytes += Array("\(value.utf8.count):".utf8)
                bytes += Array(value.utf8)
            } else {
                bytes.append(UInt8(ascii: "N"))
            }
            bytes.append(UInt8(ascii: ","))
        }
        return MD5Digest(of: bytes)
    }
}

/// What one transaction did to one key.
struct RowChange: Hashable, Sendable {
    let key: Key
    /// nil: there is no such row.
    let before: LogicalRow?
    let after: LogicalRow?
}

extension LogicalRow {
    /// For messages: NULL as such, long values shortened.
    static func show(_ values: [String?]) -> String {
        "(" + values.map(show).joined(separator: ", ") + ")"
    }

    static func show(_ value: String?) -> String {
        guard let value else { return "NULL" }
        return "'" + (value.count > 60 ? value.prefix(60) + "…" : value) + "'"
    }
}
