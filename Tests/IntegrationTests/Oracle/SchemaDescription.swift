/// Everything that can be said about a database, in words that mean the same in another database: no OIDs, no file names, no transactions.
///
/// The oracle of all migrations: what is not to change must not differ between two descriptions.
struct SchemaDescription: Sendable, Equatable {
    /// What a fact is about.
    struct Subject: Sendable, Hashable, Comparable, CustomStringConvertible {
        /// The catalog, `pg_dump`, or `rows`.
        let source: String
        let object: String
        let property: String

        var description: String { "\(source) of \(object)" + (property.isEmpty ? "" : ": \(property)") }

        static func < (left: Self, right: Self) -> Bool {
            (left.object, left.source, left.property) < (right.object, right.source, right.property)
        }
    }

    /// Several values where the catalog has several rows of one name.
    private(set) var facts: [Subject: [String]] = [:]

    mutating func add(_ source: String, _ object: String, _ property: String, _ value: String) {
        facts[Subject(source: source, object: object, property: property), default: []].append(value)
    }

    mutating func merge(_ other: Self) {
        facts.merge(other.facts) { $0 + $1 }
    }

    /// Without the facts that the test knows to be different.
    func without(_ isExpected: (Subject) -> Bool) -> Self {
        var rest = self
        rest.facts = facts.filter { !isExpected($0.key) }
        return rest
    }

    /// The lines `source | object | property | value`, for reading.
    var lines: [String] {
        facts.sorted { $0.key < $1.key }.flatMap { subject, values in
            values.map { "\(subject.source) | \(subject.object) | \(subject.property) | \($0)" }
        }
    }
}
