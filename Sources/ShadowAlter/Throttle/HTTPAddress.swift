/// Where a check is asked over HTTP: `http://HOST[:PORT][/PATH][?QUERY]`. Pure.
public struct HTTPAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name or an address; an IPv6 address without its brackets.
    public let host: String
    public let port: Int
    /// The path with the query, as the request line has it.
    public let target: String

    /// Why a text is no such address. Does not repeat the text, which may hold a password.
    public struct Refusal: Error, Sendable, CustomStringConvertible {
        public let description: String

        static let syntax = Self(description: "it takes http://HOST[:PORT][/PATH][?QUERY]")
        static let tls = Self(
            description:
                "https is not supported: give a check that speaks http, for example through a proxy on this machine")
        static let userInfo = Self(description: "a user or a password in the URL is not supported")
        static let port = Self(description: "the port is a number from 1 to 65535")
        static let characters = Self(
            description: "path and query are of printable ASCII characters without spaces; write others as %XX")
    }

    public init(_ text: String) throws(Refusal) {
        guard let colon = text.firstIndex(of: ":") else { throw .syntax }
        let scheme = text[..<colon].lowercased()
        guard scheme != "https" else { throw .tls }
        let rest = text[text.index(after: colon)...]
        guard scheme == "http", rest.hasPrefix("//") else { throw .syntax }
        let afterSlashes = rest.dropFirst(2)
        let authority = afterSlashes.prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else { throw .userInfo }
        (host, port) = try Self.place(authority)
        let target = afterSlashes[authority.endIndex...]
        guard !target.contains("#"), target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .characters }
        self.target = target.hasPrefix("/") ? String(target) : "/" + target
    }

    private static func place(_ authority: Substring) throws(Refusal) -> (host: String, port: Int) {
        var host = authority
        var digits: Substring?
        // The last colon that is not an IPv6 address's.
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            digits = authority[authority.index(after: colon)...]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), host.utf8.allSatisfy({ isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E }) else {
                throw .syntax
            }
        } else {
            guard !host.isEmpty, host.utf8.allSatisfy({ isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }) else {
                throw .syntax
            }
        }
        guard let digits else { return (String(host), 80) }
        guard digits.utf8.count <= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
            (1...65_535).contains(port)
        else { throw .port }
        return (String(host), port)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// What the request's `Host` says.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }

    /// For people, and for logs: without what the query says, which may be a token.
    public var description: String {
        let path = target.prefix { $0 != "?" }
        return "http://\(authority)\(path)" + (path.endIndex < target.endIndex ? "?…" : "")
    }
}
