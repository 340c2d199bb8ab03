/// How far a migration is. Recorded in the state tables together with the effect that ends each phase.
public enum Phase: String, Codable, Sendable, CaseIterable, Comparable {
    case planned
    case capturing
    case copying
    case indexing
    case catchingUp = "catching-up"
    case ready
    case cuttingOver = "cutting-over"
    case baking
    case done
    case rolledBack = "rolled-back"
    case aborted

    public static func < (left: Self, right: Self) -> Bool {
        left.order < right.order
    }

    /// Whether the new table is the live one.
    public var isAfterSwap: Bool { self == .baking || self == .done }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
