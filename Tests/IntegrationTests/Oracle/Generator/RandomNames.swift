@testable import LedgerWorkload

/// Names that somebody has used somewhere, no two the same in one namespace.
struct RandomNames: Sendable {
    private var used: Set<String> = []
    private var number = 0

    /// - Parameter prefix: of the simple ones.
    mutating func next(_ prefix: String, _ random: inout SplitMix64) -> String {
        while true {
            number += 1
            let name = Self.candidate(prefix, number, &random)
            if used.insert(name).inserted { return name }
        }
    }

    private static func candidate(_ prefix: String, _ number: Int, _ random: inout SplitMix64) -> String {
        switch random.number(0...11) {
        case 0: return cut("\(prefix)_" + String(repeating: "long_", count: 14), keeping: "\(number)")
        // Of 63 bytes, and the same in their first 60: whoever cuts them and appends something makes them the same.
        case 1: return String(repeating: "x", count: 60) + String(String(1000 + number).suffix(3))
        // Cut in the middle of a character.
        case 2: return String(repeating: "é", count: 30) + String(String(100 + number % 900).suffix(3))
        case 3: return "\(prefix.uppercased()) \(number)"
        case 4: return "it's \"\(prefix)\" \\ \(number)"
        case 5: return ["select", "user", "table", "order", "default", "left", "row", "primary"][number % 8]
        case 6: return "\(prefix)\(number)_pkey"
        case 7: return "\(prefix)-\(number).$1%s{a,b}"
        case 8: return "Ünï 😀 \(prefix)\(number)"
        case 9: return " \(prefix)\t\(number) "
        default: return "\(prefix)\(number)"
        }
    }

    /// 63 bytes of ASCII.
    private static func cut(_ text: String, keeping end: String) -> String {
        text.prefix(63 - end.count) + end
    }
}
