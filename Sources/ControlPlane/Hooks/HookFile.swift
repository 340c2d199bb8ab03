import ShadowAlter

/// A program of the operator's that is run at an event. Pure.
struct HookFile: Sendable, Equatable {
    let kind: MigrationEvent.Kind
    /// `on-ready`, or `on-ready-10-chat`.
    let name: String
    let path: String

    static let prefix = "on-"

    /// Which event a file's name means: `on-EVENT`, or `on-EVENT-` with anything behind it. nil: none.
    static func kind(of name: String) -> MigrationEvent.Kind? {
        guard name.hasPrefix(prefix) else { return nil }
        let rest = name.dropFirst(prefix.count)
        return MigrationEvent.Kind.allCases.first { kind in
            rest == kind.rawValue || rest.hasPrefix(kind.rawValue + "-") && rest.count > kind.rawValue.count + 1
        }
    }
}
