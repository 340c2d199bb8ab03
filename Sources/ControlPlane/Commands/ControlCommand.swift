import ShadowAlter

/// What a line on the control socket asks for. Pure; gh-ost's words are understood where gh-ost has them.
enum ControlCommand: Sendable, Equatable {
    case help
    case status
    case statusJSON
    /// The status on one line.
    case shortStatus
    case coordinates
    case value(Setting)
    case steer(SteeringCommand)
    /// Ends the process at once and leaves everything as it is.
    case panic

    /// A line that says nothing that is understood.
    struct Unknown: Error, CustomStringConvertible {
        let description: String
    }

    init(_ line: String) throws(Unknown) {
        let line = Self.trimmed(line)
        let words = line.split(separator: " ").map { $0.lowercased() }
        switch words {
        case ["help"], ["?"]: self = .help
        case ["status"], ["info"]: self = .status
        case ["status", "json"]: self = .statusJSON
        case ["sup"]: self = .shortStatus
        case ["coordinates"]: self = .coordinates
        case ["pause"]: self = .steer(.pause)
        case ["throttle"]: self = .steer(.throttle(expiry: nil))
        case ["resume"], ["no-throttle"], ["unthrottle"]: self = .steer(.resume)
        case ["cut-over"], ["unpostpone"]: self = .steer(.cutOver)
        case ["postpone"]: self = .steer(.postpone)
        case ["rollback"]: self = .steer(.rollback)
        case ["abort"]: self = .steer(.abort)
        case ["verify"]: self = .steer(.verify)
        case ["finalize"]: self = .steer(.finalize)
        case ["panic"]: self = .panic
        default:
            if words.count == 2, words[0] == "throttle", let text = words[1].removing(prefix: "expire=") {
                guard let duration = DurationText(text)?.duration else {
                    throw Unknown(description: "'\(Self.printable(text))' is no duration; write it like expire=2h")
                }
                self = .steer(.throttle(expiry: duration))
                return
            }
            self = try Self.assignment(line.removing(prefix: "set ").map(Self.trimmed) ?? line)
        }
    }

    /// `NAME=VALUE` or `NAME=?`.
    private static func assignment(_ text: String) throws(Unknown) -> Self {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = trimmed(String(parts[0])).lowercased()
        guard parts.count == 2 else {
            throw Unknown(description: "there is no command '\(printable(name))'; `help` shows those that there are")
        }
        guard let setting = Setting(rawValue: name) else {
            throw Unknown(description: "there is no setting '\(printable(name))'; `help` shows those that there are")
        }
        let value = trimmed(String(parts[1]))
        return value == "?" ? .value(setting) : .steer(.set(setting, value))
    }

    private static func trimmed(_ text: String) -> String {
        var rest = Substring(text)
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }

    /// What came from outside, fit to be shown on a terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.prefix(60).map { $0.value >= 32 && $0.value < 127 ? $0 : "?" })
        )
    }

    static var overview: String {
        let commands = [
            ("help", "this text"),
            ("status, info", "where the migration stands"),
            ("status json", "the same as JSON"),
            ("sup", "the same on one line"),
            ("coordinates", "how far the change stream is"),
            ("pause, throttle", "stop copying, refreshing and exchanging; changes go on being spooled"),
            ("throttle expire=2h", "the same, for a time"),
            ("resume, no-throttle, unthrottle", "end that"),
            ("cut-over, unpostpone", "exchange the tables as soon as they are in sync"),
            ("postpone", "keep the new table ready and in sync, but do not exchange"),
            ("rollback", "after the exchange, with --bake: bring the old tables back, with all that was written since"),
            ("verify", "compare all rows once more before the tables may be exchanged"),
            ("abort", "end the migration and remove everything that it has made"),
            ("finalize", "drop the old tables, after the exchange, in a run with --finalize-after"),
            ("panic", "end the process at once; the same command line continues later"),
            ("NAME=VALUE, set NAME=VALUE", "change a setting"),
            ("NAME=?", "show a setting"),
        ]
        let width = (commands.map(\.0.count) + Setting.allCases.map(\.rawValue.count)).max() ?? 0
        func row(_ left: String, _ right: String) -> String {
            "  " + left + String(repeating: " ", count: width - left.count + 2) + right
        }
        return
            (["Commands, one a line:"] + commands.map { row($0.0, $0.1) } + ["Settings:"]
            + Setting.allCases.map { row($0.rawValue, $0.help) }).joined(separator: "\n")
    }
}

extension SteeringCommand {
    /// The line that asks for it.
    public var line: String {
        switch self {
        case .pause: "pause"
        case .throttle(nil): "throttle"
        case .throttle(let expiry?): "throttle expire=\(DurationText(expiry))"
        case .resume: "resume"
        case .cutOver: "cut-over"
        case .postpone: "postpone"
        case .rollback: "rollback"
        case .abort: "abort"
        case .verify: "verify"
        case .finalize: "finalize"
        case .set(let setting, let value): "set \(setting.rawValue)=\(value)"
        }
    }
}

extension StringProtocol {
    fileprivate func removing(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
