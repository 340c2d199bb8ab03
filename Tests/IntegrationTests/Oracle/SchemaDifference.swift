/// One fact that is not the same in two descriptions.
struct SchemaDifference: Sendable, Equatable, CustomStringConvertible {
    let subject: SchemaDescription.Subject
    let before: [String]?
    let after: [String]?

    var description: String {
        switch (before, after) {
        case (let before?, nil): "- \(subject) = \(Self.brief(before))"
        case (nil, let after?): "+ \(subject) = \(Self.brief(after))"
        case (let before?, let after?): "~ \(subject)\n\(Self.changes(before, after))"
        case (nil, nil): "\(subject)"
        }
    }

    private static func brief(_ values: [String]) -> String {
        let text = values.joined(separator: " / ")
        return text.count > 300 ? text.prefix(300) + " …" : text
    }

    /// Line by line, so that one changed line of a long statement, or one row of many, is all that is shown.
    private static func changes(_ before: [String], _ after: [String]) -> String {
        func split(_ values: [String]) -> [String] {
            values.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
        }
        let difference = split(after).difference(from: split(before))
        let lines = difference.map { change in
            switch change {
            case .remove(_, let line, _): "    before: \(line.prefix(400))"
            case .insert(_, let line, _): "    after:  \(line.prefix(400))"
            }
        }
        return lines.prefix(8).joined(separator: "\n") + (lines.count > 8 ? "\n    … \(lines.count - 8) more" : "")
    }
}

extension SchemaDescription {
    /// What is not the same, in the order of the objects' names.
    func differences(to after: Self) -> [SchemaDifference] {
        Set(facts.keys).union(after.facts.keys).sorted().compactMap { subject in
            let old = facts[subject]?.sorted()
            let new = after.facts[subject]?.sorted()
            return old == new ? nil : SchemaDifference(subject: subject, before: old, after: new)
        }
    }
}

extension [SchemaDifference] {
    /// For a test's message. Of an object that is missing as a whole, or new, a line is enough.
    var report: String {
        let kinds = Dictionary(grouping: self) { "\($0.sign) \($0.subject.source) of \($0.subject.object)" }
        let texts = kinds.sorted { $0.key < $1.key }.flatMap { name, differences in
            differences.count > 3 && differences[0].sign != "~"
                ? ["\(name): \(differences.count) facts"] : differences.map(\.description)
        }
        return "\(count) differences\n" + texts.prefix(60).joined(separator: "\n")
            + (texts.count > 60 ? "\n… \(texts.count - 60) more" : "")
    }
}

extension SchemaDifference {
    /// Missing afterwards, new, or another.
    fileprivate var sign: String { after == nil ? "-" : before == nil ? "+" : "~" }
}
