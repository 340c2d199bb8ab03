import Testing

@testable import ShadowAlter

@Suite struct HTTPAddressTests {
    @Test(arguments: [
        ("http://check", "check", 80, "/", "check"),
        (
            "HTTP://Check.example.com:8080/may?we=go&x=%20", "Check.example.com", 8080, "/may?we=go&x=%20",
            "Check.example.com:8080"
        ),
        ("http://127.0.0.1:1/", "127.0.0.1", 1, "/", "127.0.0.1:1"),
        ("http://[::1]/a/b", "::1", 80, "/a/b", "[::1]"),
        ("http://[fe80::1]:65535", "fe80::1", 65_535, "/", "[fe80::1]:65535"),
        ("http://h?q", "h", 80, "/?q", "h"),
        ("http://h:80/@/:", "h", 80, "/@/:", "h"),
    ])
    func isRead(_ text: String, host: String, port: Int, target: String, authority: String) throws {
        let address = try HTTPAddress(text)
        #expect(address.host == host && address.port == port && address.target == target)
        #expect(address.authority == authority)
    }

    @Test(arguments: [
        "", "http", "http:", "http:/h", "http://", "http:///path", "check:80", "ftp://h", "http://h:", "http://h:0",
        "http://h:65536", "http://h:x", "http://h:-1", "http://[::1", "http://::1/", "http://[x]/", "http://[1]/",
        "http://h/a b", "http://h/ü", "http://h/#top", "http://h/a\r\nX: y", "http://h\r\n/", "http://a b/",
        "http://h:٨٠/",
    ])
    func isRefused(_ text: String) {
        #expect(throws: HTTPAddress.Refusal.self) { try HTTPAddress(text) }
    }

    @Test func tlsAndUsersAreRefusedByName() {
        #expect {
            try HTTPAddress("https://check/")
        } throws: {
            "\($0)".contains("https is not supported")
        }
        #expect {
            try HTTPAddress("http://me:secret@check/")
        } throws: {
            "\($0)".contains("a user or a password") && !"\($0)".contains("secret")
        }
    }

    /// The query may be a token.
    @Test func whatPeopleSeeIsWithoutTheQuery() throws {
        #expect("\(try HTTPAddress("http://check:81/go?token=secret"))" == "http://check:81/go?…")
        var options = MigrationOptions()
        try options.set(.throttleHTTP, to: "http://check:81/go?token=secret")
        #expect(options.value(of: .throttleHTTP) == "http://check:81/go?…")
        #expect(!SteeringCommand.set(.throttleHTTP, "http://check/?secret").outcome.contains("secret"))
        #expect {
            try options.set(.throttleHTTP, to: "https://me:secret@check")
        } throws: {
            "\($0)".hasPrefix("throttle-http: ") && !"\($0)".contains("secret")
        }
        #expect(options.throttleHTTP != nil, "what is refused changes nothing")
        try options.set(.throttleHTTP, to: "")
        #expect(options.throttleHTTP == nil)
    }
}
