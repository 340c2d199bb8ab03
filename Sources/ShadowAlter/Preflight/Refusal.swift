/// One reason why a migration is not started: what is the matter, why it matters, and what mends it.
public struct Refusal: Codable, Sendable, Equatable, CustomStringConvertible {
    /// A stable word for programs, for example `no-usable-key`.
    public var code: String
    /// The object concerned, as a person would type its name.
    public var object: String
    /// What is the matter.
    public var what: String
    /// Why that stops the migration.
    public var why: String
    /// The command or the decision that mends it.
    public var fix: String

    public init(code: String, object: String, what: String, why: String, fix: String) {
        self.code = code
        self.object = object
        self.what = what
        self.why = why
        self.fix = fix
    }

    public var description: String {
        "\(object): \(what)\n    why  \(why)\n    fix  \(fix)"
    }
}

/// Preflight's verdict: nothing was created.
public struct Refused: Error, Sendable, CustomStringConvertible {
    public let refusals: [Refusal]

    public init(_ refusals: [Refusal]) {
        self.refusals = refusals
    }

    public var description: String {
        let list = refusals.map { "  \($0)" }.joined(separator: "\n")
        return "Refused, nothing was touched:\n\(list)"
    }
}
