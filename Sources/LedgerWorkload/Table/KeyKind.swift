/// How the values of one column of the key are made.
///
/// Every key has an ordinal number of its own (see `KeySpace`); a column's value is a function of it. The columns of a
/// key must identify the ordinal together.
public enum KeyKind: Sendable, Hashable {
    /// `from` plus the ordinal: for `smallint` to `bigint` and `numeric`. Must lie above the keys that are in the table.
    case integer(from: Int64)
    case uuid
    /// The prefix (which may hold any character) and 16 hexadecimal digits.
    case text(prefix: String)
    /// `from` plus the ordinal divided by the number, rounded down: the first part of a composite key.
    case quotient(by: Int64, from: Int64)
    /// The ordinal modulo the number: the second part of a composite key.
    case remainder(by: Int64)
    /// A serial or identity column. Single inserts leave it to its default, other statements ask the sequence first.
    /// Can only be the whole key.
    ///
    /// - `updatable`: false for `GENERATED ALWAYS AS IDENTITY`, whose values PostgreSQL does not allow to be updated.
    case sequence(updatable: Bool)
}
