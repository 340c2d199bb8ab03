import FoundationEssentials
import NIOCore
import ShadowAlter
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

@Suite(.timeLimit(.minutes(2))) struct MetricsServerTests {
    /// Has a status, or none any more.
    private final class Showcase: MigrationControl {
        let isAlive = Mutex(true)

        func status() async throws -> MigrationStatus {
            guard isAlive.withLock({ $0 }) else { throw MigrationControlError("it has ended") }
            return try PrometheusTextTests.status()
        }

        func steer(_ command: SteeringCommand) async throws -> String {
            throw MigrationControlError("nobody may steer through metrics")
        }

        func value(of setting: Setting) -> String { "" }

        func coordinates() async throws -> StreamCoordinates {
            StreamCoordinates(slot: "s", confirmed: nil, current: "0/1")
        }
    }

    /// The answer to these bytes, until the server closes.
    private static func ask(_ address: String, _ request: String) throws -> String {
        let client = try RawClient(port: try #require(ListenAddress(address)).port)
        client.send(request)
        return client.readAll()
    }

    private static func get(_ address: String, _ path: String, _ method: String = "GET") throws -> String {
        try ask(address, "\(method) \(path) HTTP/1.1\r\nHost: here\r\n\r\n")
    }

    private static let anywhere = ListenAddress("0")

    @Test func servesItsPages() async throws {
        let showcase = Showcase()
        let server = try await MetricsServer.open(
            try #require(Self.anywhere), control: showcase, patience: .seconds(10), lifetime: .zero)
        let metrics = try Self.get(server.address, "/metrics")
        #expect(metrics.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(metrics.lowercased().contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
        #expect(metrics.contains("shadow_alter_ready{migration=\"orders\"} 0"))
        #expect(try Self.get(server.address, "/healthz?from=here").hasSuffix("\r\n\r\nok\n"))
        #expect(try Self.get(server.address, "/status.json").contains("\"phase\":\"copying\""))
        let page = try Self.get(server.address, "/")
        #expect(page.contains("<title>shadow-alter</title>") && page.contains("default-src 'none'"))
        #expect(!page.contains("src=\"") && !page.contains("href=\""), "the page needs nothing from elsewhere")
        let head = try Self.get(server.address, "/metrics", "HEAD")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
        #expect(try Self.get(server.address, "/elsewhere").hasPrefix("HTTP/1.1 404 "))
        #expect(try Self.get(server.address, "/metrics", "POST").hasPrefix("HTTP/1.1 405 "))
        showcase.isAlive.withLock { $0 = false }
        #expect(try Self.get(server.address, "/healthz").hasPrefix("HTTP/1.1 503 "))
        await server.close()
    }

    @Test func garbageAndSilenceHarmNobody() async throws {
        let server = try await MetricsServer.open(
            try #require(Self.anywhere), control: Showcase(), patience: .milliseconds(200))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            let bytes = (0..<Int.random(in: 1...2000)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let answer = try Self.ask(server.address, String(decoding: bytes, as: UTF8.self))
            #expect(!answer.contains(" 200 "))
        }
        #expect(try Self.ask(server.address, "GET /metrics HTT").isEmpty, "it is left after its time")
        #expect(try Self.get(server.address, "/healthz").contains(" 200 "))
        await server.close()
    }

    @Test func aPortThatIsTakenIsSaid() async throws {
        let first = try await MetricsServer.open(try #require(Self.anywhere), control: Showcase())
        let taken = try #require(ListenAddress(first.address))
        await #expect(throws: MetricsServer.Failure.self) {
            _ = try await MetricsServer.open(taken, control: Showcase())
        }
        await first.close()
    }
}
