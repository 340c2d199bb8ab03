/// Text that is safe inside a statement, whatever characters the name or the value has.
///
/// Everything here works on Unicode scalars: a quote that a combining accent follows is one `Character`, which is not equal
/// to `"'"`, but for PostgreSQL it is a quote.
public enum Quoting {
    /// A name as a quoted identifier. Always quoted: no list of keywords to keep up to date with the server's.
    public static func identifier(_ name: some StringProtocol) -> String {
        "\"" + doubled(name, ["\""]) + "\""
    }

    /// A value as a string literal that means the same whatever `standard_conforming_strings` says.
    public static func literal(_ value: some StringProtocol) -> String {
        let quoted = "'" + doubled(value, ["'", "\\"]) + "'"
        // The space keeps the E from joining a word before it.
        return value.utf8.contains(UInt8(ascii: "\\")) ? " E" + quoted : quoted
    }

    /// A list of names, quoted and separated by commas.
    public static func identifiers(_ names: some Sequence<String>) -> String {
        names.map { identifier($0) }.joined(separator: ", ")
    }

    /// The text with every occurrence of some scalars written twice.
    private static func doubled(_ text: some StringProtocol, _ special: Set<Unicode.Scalar>) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if special.contains(scalar) { result.append(scalar) }
            result.append(scalar)
        }
        return String(result)
    }
}
