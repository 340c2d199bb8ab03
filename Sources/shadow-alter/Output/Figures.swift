/// Numbers and columns for people. Pure.
enum Figures {
    static func seconds(_ value: Double) -> String { "\(oneDecimal(value)) s" }

    static func milliseconds(_ value: Double) -> String { "\(oneDecimal(value)) ms" }

    private static func oneDecimal(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
