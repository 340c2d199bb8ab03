/// A value for people to read.
enum ShortValue {
    /// An expression for the value as a quoted text, of which a long one is cut off; `NULL` without quotes. In characters that every database has.
    static func sql(_ value: String) -> String {
        """
        CASE WHEN \(value)::text IS NULL THEN 'NULL' WHEN length((\(value))::text) > 40 THEN quote_literal(left(\(value)::text, 40)) || '...'
            ELSE quote_literal(\(value)::text) END
        """
    }

    /// What others have said, cut off where it is longer than a line or two.
    static func text(_ text: String, atMost limit: Int = 200) -> String {
        text.count > limit ? text.prefix(limit) + "…" : text
    }
}
