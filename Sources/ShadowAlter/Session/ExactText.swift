import PgConnection

/// Settings by which a value's text is the same value again, whoever reads it: those that PostgreSQL's own subscriptions and dumps set.
///
/// A server's defaults may round floating-point numbers (`extra_float_digits` below 1), or name a time zone by letters that mean another one when they are
/// read (`DateStyle` other than ISO). Only where nothing of the user's is evaluated: what a cast to text gives depends on them.
enum ExactText {
    /// For constants in definitions, as PostgreSQL prints them. Intervals are read back as they were printed, under the same default.
    static let ofDefinitions = ["DateStyle": "ISO", "client_encoding": "UTF8", "extra_float_digits": "3"]
    /// For values.
    static let ofValues = ofDefinitions.merging(["IntervalStyle": "postgres"]) { $1 }

    /// For the rest of a transaction.
    static let setLocal = assignments { "SET LOCAL \($0) = \(Quoting.literal($1))" }
    /// The same, as the session would have them by default.
    static let setLocalDefaults = assignments { name, _ in "SET LOCAL \(name) TO DEFAULT" }

    private static func assignments(_ assignment: (String, String) -> String) -> String {
        ofValues.sorted { $0.key < $1.key }.map { assignment($0.key, $0.value) }.joined(separator: "; ")
    }
}

extension PgConnection {
    /// Runs `body`, which reads definitions, in a session whose settings are for the user's expressions.
    ///
    /// When `body` throws in a transaction, its end takes the settings back.
    func readingDefinitions<Value>(_ body: (isolated PgConnection) throws -> Value) throws -> Value {
        let names = ExactText.ofDefinitions.keys.sorted()
        func set(_ values: [String]) throws {
            let calls = zip(names, values).map { "set_config('\($0)', \(Quoting.literal($1)), false)" }
            try query("SELECT \(calls.joined(separator: ", "))")
        }
        let values: [String] = try query(
            "SELECT ARRAY[\(names.map { "current_setting('\($0)')" }.joined(separator: ", "))]"
        ).single().value()
        try set(names.compactMap { ExactText.ofDefinitions[$0] })
        do {
            let value = try body(self)
            try set(values)
            return value
        } catch {
            try? set(values)
            throw error
        }
    }
}
