/// Where metrics are served, or commands taken: `[HOST:]PORT`, on loopback unless a host is given.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    public let host: String
    /// 0: any that is free.
    public let port: Int

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can connect there. By the address, not by what a name is resolved to.
    public var isLoopback: Bool {
        if host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    func with(port: Int) -> Self { Self(host: host, port: port) }

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// nil when it is neither `9090` nor `0.0.0.0:9090` nor `[::1]:9090`.
    public init?(_ text: String) {
        let digits: Substring
        if let colon = text.lastIndex(of: ":") {
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = String(host.dropFirst().dropLast())
            } else if host.contains(":") {
                return nil
            }
            guard !host.isEmpty else { return nil }
            self.host = host == "localhost" ? "127.0.0.1" : host
            digits = text[text.index(after: colon)...]
        } else {
            host = "127.0.0.1"
            digits = Substring(text)
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
            (0...65_535).contains(port)
        else { return nil }
        self.port = port
    }
}
