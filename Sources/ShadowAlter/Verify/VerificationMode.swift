/// How much of the tables is compared before they may be exchanged.
public enum VerificationMode: Sendable, Equatable, CustomStringConvertible {
    /// Every row, in both directions.
    case full
    /// The rows of this share of the page ranges, more than 0 and less than 1, and of at least `smallestSample` ranges.
    case sample(Double)
    case off

    /// What `sample` without a number takes.
    public static let usualShare = 0.01

    /// `full`, `sample`, `sample=5%` or `off`; nil when it is none of these.
    public init?(_ text: String) {
        switch text {
        case "full": self = .full
        case "off": self = .off
        case "sample": self = .sample(Self.usualShare)
        default:
            guard text.hasPrefix("sample="), text.hasSuffix("%"),
                let percent = Double(text.dropFirst(7).dropLast()), percent > 0, percent < 100
            else { return nil }
            self = .sample(percent / 100)
        }
    }

    public var description: String {
        switch self {
        case .full: "full"
        case .sample(let share): "sample=\(Self.percent(share))%"
        case .off: "off"
        }
    }

    /// The part of the pages that is looked at.
    var share: Double {
        if case .sample(let share) = self { share } else { 1 }
    }

    private static func percent(_ share: Double) -> String {
        let percent = (share * 1e6).rounded() / 1e4
        return percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
    }
}
