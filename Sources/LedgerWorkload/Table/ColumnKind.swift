/// What values the workload puts into a column that is not part of the key.
public enum ColumnKind: Sendable, Hashable {
    /// Decimal digits: for any integer type, and for text that only holds numbers.
    case integer(ClosedRange<Int>)
    /// 0 to `maxLength` characters, among them quotes, backslashes, line breaks, and some of more than one byte.
    case text(maxLength: Int)
    /// Up to 6 digits before the decimal point and `scale` (0 to 12) digits after it.
    case numeric(scale: Int)
    case boolean
    /// `json` or `jsonb`: objects, written as jsonb_out writes them (src/backend/utils/adt/jsonb.c), so that both types
    /// have the same text.
    case json
    /// `timestamp` or `timestamptz`, in microseconds, between 2000 and 2037. The sessions' time zone is UTC.
    case timestamp
    /// Labels of an enum type, or words.
    case enumeration([String])
    /// `from` plus a number that nobody else has: a column with a UNIQUE index.
    case uniqueInteger(from: Int64)
    /// The prefix and a number that nobody else has.
    case uniqueText(prefix: String)
    /// Text that does not compress, of so many bytes: values over about 2 kB are stored in the TOAST table.
    case toast(bytes: ClosedRange<Int>)
    /// An integer that is only ever incremented, by everybody in the shared hot rows. At most one column, not nullable.
    case counter
    /// Never written by the workload. New rows have this canonical text (what the column's default gives; nil is NULL).
    ///
    /// For columns that the migration renames or adds: give `CanonicalForm`s that differ before and after.
    case frozen(newRow: String?)

    var isUnique: Bool {
        switch self {
        case .uniqueInteger, .uniqueText: true
        default: false
        }
    }

    var isFrozen: Bool {
        if case .frozen = self { true } else { false }
    }

    var isToast: Bool {
        if case .toast = self { true } else { false }
    }

    /// Whether its values are made anew for an update at any time: not for those that have rules of their own.
    var isOrdinary: Bool {
        !isUnique && !isFrozen && !isToast && self != .counter
    }

    /// The SQL expression of type text that the ledger's text of a value equals, where the caller gives no other.
    func canonicalExpression(_ column: String) -> String {
        switch self {
        case .numeric(let scale): "\(column)::numeric(38,\(scale))::text"
        case .json: "\(column)::jsonb::text"
        case .timestamp: "to_char(\(column), 'YYYY-MM-DD HH24:MI:SS.US')"
        case .toast: "octet_length(\(column)::text)::text || ':' || md5(\(column)::text)"
        default: "\(column)::text"
        }
    }
}
