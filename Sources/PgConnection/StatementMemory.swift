/// Which statements a session has prepared because they came more than once.
struct StatementMemory: Sendable {
    /// By text; nil for one that has come once.
    private var names: [String: String?] = [:]
    private var prepared = 0

    /// The name under which the statement is prepared, from its second time on.
    mutating func name(for sql: String, prepare: (String) throws -> Void) rethrows -> String? {
        guard let known = names[sql] else {
            names[sql] = .some(nil)
            return nil
        }
        if let known { return known }
        prepared += 1
        let name = "shadow_alter_\(prepared)"
        try prepare(name)
        names[sql] = name
        return name
    }
}
