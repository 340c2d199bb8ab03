/// A value as it is sent (the text of a literal without a type, so that it fits a column of any type that can be made of
/// that text) and as it is read back.
struct GeneratedValue: Sendable, Hashable {
    /// nil is NULL.
    let literal: String?
    let canonical: String?

    init(literal: String?, canonical: String?) {
        self.literal = literal
        self.canonical = canonical
    }

    /// A value that is read back as it was sent.
    init(_ text: String?) {
        self.init(literal: text, canonical: text)
    }

    static let null = Self(nil)
}

/// Makes values of every kind.
struct ValueGenerator: Sendable {
    /// Never wider than four bytes of UTF-8; without a carriage return, which COPY and psql would treat alike but people
    /// would not see in a report.
    private static let alphabet: [String] = [
        "a", "b", "e", "n", "Z", "0", "7", " ", " ", "'", "\"", "\\", "\n", "\t", "%", "$", ";", "ä", "ß", "€",
        "\u{65E5}",
        "😀",
    ]
    /// 64 characters: each carries six random bits, which neither pglz nor lz4 can compress.
    private static let dense = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// A value for a column; `ordinal` must be nobody else's for a unique kind.
    static func value(
        _ column: PayloadColumn, random: inout SplitMix64, ordinal: @autoclosure () -> Int64
    ) -> GeneratedValue {
        if column.isNullable && random.chance(8) { return .null }
        switch column.kind {
        case .integer(let range): return GeneratedValue(String(random.number(range)))
        case .text(let maxLength): return GeneratedValue(text(random.number(0...max(0, maxLength)), &random))
        case .numeric(let scale): return GeneratedValue(numeric(scale, &random))
        case .boolean: return GeneratedValue(random.chance(50) ? "true" : "false")
        case .json: return GeneratedValue(json(&random))
        case .timestamp: return GeneratedValue(timestamp(&random))
        case .enumeration(let labels): return GeneratedValue(random.choice(labels))
        case .uniqueInteger(let from): return GeneratedValue(String(from + ordinal()))
        case .uniqueText(let prefix): return GeneratedValue(prefix + String(ordinal()))
        case .toast(let bytes): return toast(random.number(bytes), &random)
        case .counter: return GeneratedValue("0")
        case .frozen(let newRow): return GeneratedValue(newRow)
        }
    }

    private static func text(_ length: Int, _ random: inout SplitMix64) -> String {
        var text = ""
        for _ in 0..<length { text += alphabet[random.number(0...(alphabet.count - 1))] }
        return text
    }

    private static func numeric(_ scale: Int, _ random: inout SplitMix64) -> String {
        let whole = random.number(0...999_999)
        guard scale > 0 else { return whole > 0 && random.chance(25) ? "-\(whole)" : "\(whole)" }
        var fraction = ""
        for _ in 0..<scale { fraction += String(random.number(0...9)) }
        // There is no negative zero in numeric.
        let isZero = whole == 0 && !fraction.contains { $0 != "0" }
        return (!isZero && random.chance(25) ? "-" : "") + "\(whole).\(fraction)"
    }

    /// jsonb orders the keys of an object by length, then by bytes, and keeps a number's digits as they are.
    private static func json(_ random: inout SplitMix64) -> String {
        let name = random.choice(["ä\\\"quoted\\\"", "plain", "", "back\\\\slash", "日本", "tab\\t"]) ?? ""
        let numbers = (0..<random.number(0...3)).map { _ in String(random.number(-1000...1000)) }
        let flag = random.choice(["true", "false", "null"]) ?? "null"
        return "{\"n\": [\(numbers.joined(separator: ", "))], \"ok\": \(flag), \"name\": \"\(name)\"}"
    }

    private static func timestamp(_ random: inout SplitMix64) -> String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: width - digits.utf8.count) + digits
        }
        let day = [(2000...2037, 4), (1...12, 2), (1...28, 2)].map { padded(random.number($0.0), $0.1) }
        let time = [0...23, 0...59, 0...59].map { padded(random.number($0), 2) }
        return day.joined(separator: "-") + " " + time.joined(separator: ":") + "."
            + padded(random.number(0...999_999), 6)
    }

    private static func toast(_ count: Int, _ random: inout SplitMix64) -> GeneratedValue {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 10)
        while bytes.count < count {
            var bits = random.next()
            for _ in 0..<10 {
                bytes.append(dense[Int(bits & 63)])
                bits >>= 6
            }
        }
        bytes.removeLast(bytes.count - count)
        return GeneratedValue(
            literal: String(decoding: bytes, as: UTF8.self), canonical: "\(count):\(MD5Digest(of: bytes).hex)")
    }
}
