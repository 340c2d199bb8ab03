import ShadowAlter

/// Steers a run over HTTP: `POST /control/pause` and so on, for those who know the token.
///
/// A page of another site can make a browser send a POST here, but not with an `Authorization` header: for that the browser asks first, and is not
/// answered. A name that was made to point to this machine after its page was loaded (DNS rebinding) is told by `Host`.
struct ControlPages: Sendable {
    let control: any MigrationControl
    let token: ControlToken
    /// Who guesses is answered once a second.
    let failures = RateLimit(perSecond: 1)

    /// A request's head, as far as it matters.
    struct Request: Sendable {
        var method: String
        var target: String
        var host: String?
        var origin: String?
        var authorization: String?

        var path: Substring { target.prefix { $0 != "?" } }
    }

    static let prefix = "/control/"

    private static func command(_ name: some StringProtocol) -> SteeringCommand? {
        switch name {
        case "pause": .pause
        case "resume": .resume
        case "cut-over": .cutOver
        case "postpone": .postpone
        default: nil
        }
    }

    func page(_ request: Request) async -> MetricsPages.Page {
        guard let command = Self.command(request.path.dropFirst(Self.prefix.count)) else {
            return .text(404, "there are pause, resume, cut-over and postpone")
        }
        guard request.method == "POST" else { return .text(405, "POST only") }
        guard let host = request.host, Self.isLoopback(host) else {
            return .text(
                403, "the request's Host is no address of this machine's own: ask 127.0.0.1, [::1] or localhost")
        }
        if let origin = request.origin, origin.lowercased() != "http://\(host.lowercased())" {
            return .text(403, "the request comes from the page of another site")
        }
        guard let given = request.authorization else {
            await failures.admit()
            return .text(401, "a token is needed: Authorization: Bearer TOKEN")
        }
        let parts = given.split(separator: " ")
        guard parts.count == 2, parts[0].lowercased() == "bearer", token.matches(parts[1]) else {
            await failures.admit()
            return .text(403, "this is not the token of this run")
        }
        do {
            return .text(200, try await control.steer(command))
        } catch {
            return .text(503, "\(error)")
        }
    }

    /// `localhost`, `127.0.0.1` or `[::1]`, with any port: it may have come through a tunnel.
    static func isLoopback(_ host: String) -> Bool {
        var name = host.lowercased()[...]
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("]") {
            guard name[colon...].dropFirst().utf8.allSatisfy({ (48...57).contains($0) }) else { return false }
            name = name[..<colon]
        }
        return ["localhost", "127.0.0.1", "[::1]"].contains(name)
    }
}
