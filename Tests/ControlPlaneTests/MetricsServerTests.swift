import FoundationEssentials
import Glibc
import NIOCore
import ShadowAlter
import Synchronization
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
        let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let connected = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(connected == 0)
        var bytes = Array(request.utf8)
        _ = send(descriptor, &bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }

    private static func get(_ address: String, _ path: String, _ method: String = "GET") throws -> String {
        try ask(address, "\(method) \(path) HTTP/1.1\r\nHost: here\r\n\r\n")
    }

    private static let anywhere = ListenAddress("0")

    @Test func servesItsPages() async throws {
        let showcase = Showcase()
        let server = try await MetricsServer.open(try #require(Self.anywhere), control: showcase)
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
