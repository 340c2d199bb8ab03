import PgConnection

/// Settings by which a value's text is the same value again, whoever reads it: those that PostgreSQL's own subscriptions set.
///
/// A server's defaults may round floating-point numbers (`extra_float_digits` below 1), or name a time zone by letters that mean another one when they are
/// read (`DateStyle` other than ISO). Only for sessions that evaluate nothing of the user's: what a cast to text gives depends on them.
enum ExactText {
    static let settings = ["DateStyle": "ISO", "IntervalStyle": "postgres", "extra_float_digits": "3"]

    /// For the rest of a transaction.
    static let setLocal = settings.sorted { $0.key < $1.key }
        .map { "SET LOCAL \($0) = \(Quoting.literal($1))" }.joined(separator: "; ")
}
