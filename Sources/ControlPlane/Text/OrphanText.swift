import ShadowAlter

/// What migrations have left behind, for people. Pure.
public struct OrphanText: Sendable {
    private let orphans: [Orphan]

    public init(_ orphans: [Orphan]) { self.orphans = orphans }

    /// Empty when nothing is left behind.
    public var lines: [String] {
        guard !orphans.isEmpty else { return [] }
        var lines = ["Left behind by migrations that are gone, or cannot go on:"]
        lines += orphans.map { "  \(Self.line($0))" }
        if orphans.contains(where: { $0.obstacle == nil }) {
            lines.append("Next: `shadow-alter abort --orphans` removes what nothing is said against.")
        }
        return lines
    }

    /// One, with what is to be known of it.
    public static func line(_ orphan: Orphan) -> String {
        var text = orphan.title
        if orphan.kind == .migration { text += ", whose table or new table somebody has dropped" }
        if let migration = orphan.migration, orphan.kind != .migration { text += " of the migration \(migration)" }
        if let bytes = orphan.retainedWALBytes { text += ", which holds back \(ByteCount(bytes)) of WAL" }
        if let obstacle = orphan.obstacle { text += "; it is not removed: \(obstacle)" }
        return text
    }
}
