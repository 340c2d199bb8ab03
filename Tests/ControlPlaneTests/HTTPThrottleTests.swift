import ShadowAlter
import TestSupport
import Testing

@testable import ControlPlane

/// What a check's answer means, before a real listener.
@Suite(.timeLimit(.minutes(2))) struct HTTPThrottleTests {
    private func reason(_ url: String, patience: Duration = .seconds(30)) async throws -> String? {
        var options = MigrationOptions()
        try options.set(.throttleHTTP, to: url)
        return try await HTTPThrottle(patience: patience).reason(options)
    }

    @Test func withoutAnAddressNothingIsAsked() async throws {
        #expect(try await HTTPThrottle().reason(MigrationOptions()) == nil)
    }

    @Test func onlyA200LetsTheWorkGoOn() async throws {
        let server = try await CheckServer.open(.status(200))
        let url = "http://127.0.0.1:\(server.port)/may?token=secret"
        #expect(try await reason(url) == nil)
        #expect(server.requests == ["HEAD /may?token=secret 127.0.0.1:\(server.port)"])
        for code in [204, 301, 404, 429, 500, 503] {
            server.answer(.status(code))
            let reason = try #require(try await reason(url))
            #expect(reason == "the check at http://127.0.0.1:\(server.port)/may?… answered \(code)")
        }
        await server.close()
    }

    @Test func namesAreResolved() async throws {
        let server = try await CheckServer.open(.status(200))
        #expect(try await reason("http://localhost:\(server.port)") == nil)
        await server.close()
        let unknown = try #require(try await reason("http://no-such-host.invalid/"))
        #expect(unknown.contains("http://no-such-host.invalid/ cannot be asked: "), "\(unknown)")
    }

    @Test func anIPv6AddressIsReached() async throws {
        // A machine without IPv6 cannot listen there.
        guard let server = try? await CheckServer.open(.status(200), host: "::1") else { return }
        #expect(try await reason("http://[::1]:\(server.port)/") == nil)
        #expect(server.requests == ["HEAD / [::1]:\(server.port)"])
        await server.close()
    }

    @Test func whoeverDoesNotAnswerStopsTheWork() async throws {
        let server = try await CheckServer.open(.silence)
        let url = "http://127.0.0.1:\(server.port)"
        #expect(
            try await reason(url, patience: .milliseconds(100))
                == "the check at \(url)/ cannot be asked: no answer within 100ms")
        server.answer(.hangUp)
        #expect(try await reason(url)?.contains("closed before an answer") == true)
        server.answer(.garbage)
        #expect(try await reason(url)?.contains("cannot be asked: ") == true)
        await server.close()
        let closed = try #require(try await reason(url))
        #expect(closed.contains("cannot be asked: ") && closed.lowercased().contains("refused"), "\(closed)")
    }

    @Test func aRunThatEndsDoesNotWaitForTheAnswer() async throws {
        let server = try await CheckServer.open(.silence)
        let port = server.port
        let asking = Task { try await reason("http://127.0.0.1:\(port)", patience: .seconds(3600)) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        await server.close()
    }
}
