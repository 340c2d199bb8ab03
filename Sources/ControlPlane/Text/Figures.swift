/// Numbers and columns for people. Pure.
public enum Figures {
    public static func seconds(_ value: Double) -> String { "\(oneDecimal(value)) s" }

    public static func milliseconds(_ value: Double) -> String { "\(oneDecimal(value)) ms" }

    private static func oneDecimal(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    public static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    public static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

/// 1234567 as 1,234,567.
public func grouped(_ number: Int64) -> String {
    var digits = Array(String(number.magnitude))
    var index = digits.count - 3
    while index > 0 {
        digits.insert(",", at: index)
        index -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
}

/// Seconds as 1:02:03 or 2:03.
public func time(_ seconds: Int64) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
}
