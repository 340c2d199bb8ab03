import PgConnection

/// The comment on a migration's schemas, which says whose they are: a name that ends in `_green` may be anybody's.
struct SchemaMark: Sendable, Equatable {
    enum Kind: String, Sendable {
        case green
        case blue

        /// As in `orders_green`.
        var suffix: String { "_\(rawValue)" }
    }

    private static let beginning = "shadow-alter: "
    private static let middle = "tables of the migration with the slot and publication "

    let kind: Kind
    /// Of the slot and the publication.
    let streamName: String

    var comment: String {
        Self.beginning + (kind == .green ? "the new " : "the old ") + Self.middle + streamName
    }

    init(_ kind: Kind, streamName: String) {
        self.kind = kind
        self.streamName = streamName
    }

    /// nil: the comment is not ours.
    init?(comment: String) {
        guard let streamName = comment.split(separator: " ").last.map(String.init), StreamName.isOurs(streamName) else {
            return nil
        }
        for kind in [Kind.green, .blue] {
            self.init(kind, streamName: streamName)
            if self.comment == comment { return }
        }
        return nil
    }

    /// In the transaction that has made the schemas.
    static func set(_ plan: MigrationPlan, streamName: String, on connection: isolated PgConnection) throws {
        for (kind, schema) in [(Kind.green, plan.greenSchema), (.blue, plan.blueSchema)] {
            let comment = Quoting.literal(Self(kind, streamName: streamName).comment)
            try connection.execute("COMMENT ON SCHEMA \(Quoting.identifier(schema)) IS \(comment)")
        }
    }
}

/// The name that a migration's slot and publication share. Slots are common to all databases of a server, and one that an earlier migration
/// has left must never be taken for ours.
enum StreamName {
    /// The names that we give, as a regular expression of PostgreSQL's.
    static let pattern = "^shadow_alter_[0-9a-f]{16}$"
    private static let prefix = "shadow_alter_"

    static func random() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func isOurs(_ name: String) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let digits = name.dropFirst(prefix.count)
        return digits.utf8.count == 16 && digits.allSatisfy { "0123456789abcdef".contains($0) }
    }
}
