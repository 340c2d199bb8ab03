import FoundationEssentials
import Glibc
import ShadowAlter
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

/// Steering over HTTP: who may, and who may not.
@Suite(.timeLimit(.minutes(2))) struct MetricsControlTests {
    private struct Site {
        let notebook: Notebook
        let server: MetricsServer
        let file: String
        let token: String

        static func open() async throws -> Self {
            let notebook = Notebook(status: try PrometheusTextTests.status())
            let file = FileManager.default.temporaryDirectory.appending(path: "sa-\(UInt64.random(in: 0 ... .max))")
                .path
            let server = try await MetricsServer.open(
                try #require(ListenAddress("0")), control: notebook, tokenFile: file)
            let token = try String(contentsOf: URL(filePath: file), encoding: .utf8)
            return Self(notebook: notebook, server: server, file: file, token: String(token.dropLast()))
        }

        func ask(_ request: String, _ headers: [String], body: String = "") throws -> String {
            let client = try RawClient(port: try #require(ListenAddress(server.address)).port)
            client.send(
                ([request + " HTTP/1.1"] + headers + ["Content-Length: \(body.utf8.count)", "", ""])
                    .joined(separator: "\r\n") + body)
            return client.readAll()
        }

        /// The status of the answer.
        func code(_ request: String, _ headers: [String]) throws -> Int {
            try #require(Int(ask(request, headers).split(separator: " ")[1]))
        }

        func post(_ command: String, host: String = "127.0.0.1:9090", token: String?, _ more: [String] = []) throws
            -> Int
        {
            try code(
                "POST /control/\(command)",
                ["Host: \(host)"] + (token.map { ["Authorization: Bearer \($0)"] } ?? []) + more)
        }

        var asked: [SteeringCommand] { notebook.commands.withLock { $0 } }
    }

    @Test func whoeverKnowsTheTokenMaySteer() async throws {
        let site = try await Site.open()
        #expect(site.token.utf8.count == 64 && site.server.tokenFile == site.file)
        var status = stat()
        #expect(lstat(site.file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let answer = try site.ask(
            "POST /control/pause", ["Host: localhost", "authorization: bearer \(site.token)"], body: "nothing")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix(SteeringCommand.pause.outcome + "\n"))
        for command in ["resume", "cut-over", "postpone"] {
            #expect(try site.post(command, host: "[::1]:1", token: site.token) == 200)
        }
        #expect(try site.post("pause", token: site.token, ["Origin: http://127.0.0.1:9090"]) == 200)
        #expect(site.asked == [.pause, .resume, .cutOver, .postpone, .pause])
        #expect(try site.ask("GET /", ["Host: 127.0.0.1"]).contains("data-command=\"cut-over\""))
        await site.server.close()
        #expect(lstat(site.file, &status) != 0, "the token's file stays behind")
    }

    @Test func nobodyElseMay() async throws {
        let site = try await Site.open()
        #expect(try site.post("pause", token: nil) == 401)
        #expect(
            try site.ask("POST /control/pause", ["Host: localhost"]).lowercased().contains("www-authenticate: bearer"))
        #expect(try site.post("pause", token: "") == 403)
        #expect(try site.post("pause", token: String(repeating: "0", count: 64)) == 403)
        #expect(try site.post("pause", token: site.token.dropLast() + "x") == 403)
        #expect(try site.post("pause", token: site.token, ["Authorization: Bearer \(site.token)"]) == 403)
        #expect(try site.code("POST /control/pause", ["Host: localhost", "Authorization: Basic \(site.token)"]) == 403)
        #expect(try site.post("abort", token: site.token) == 404)
        #expect(try site.post("", token: site.token) == 404)
        #expect(try site.code("GET /control/pause", ["Host: localhost", "Authorization: Bearer \(site.token)"]) == 405)
        #expect(try site.code("OPTIONS /control/pause", ["Host: localhost", "Origin: http://evil.example"]) == 405)
        // A name that was made to point here, and the page of another site.
        for host in ["evil.example", "evil.example:9090", "127.0.0.1.evil.example", "localhost:x", "", "[::1", "[::2]"]
        {
            #expect(try site.post("pause", host: host, token: site.token) == 403, "\(host)")
        }
        for origin in ["http://evil.example", "null", "https://127.0.0.1:9090", "http://127.0.0.1:9091"] {
            #expect(try site.post("pause", token: site.token, ["Origin: \(origin)"]) == 403, "\(origin)")
        }
        #expect(site.asked.isEmpty)
        #expect(try site.code("GET /metrics", ["Host: elsewhere"]) == 200, "reading is for everybody")
        await site.server.close()
    }

    @Test func withoutBeingAskedForThereIsNothing() async throws {
        let notebook = Notebook(status: try PrometheusTextTests.status())
        let server = try await MetricsServer.open(try #require(ListenAddress("0")), control: notebook)
        let client = try RawClient(port: try #require(ListenAddress(server.address)).port)
        client.send("POST /control/pause HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.readAll().hasPrefix("HTTP/1.1 405 "))
        #expect(notebook.commands.withLock { $0 }.isEmpty && server.tokenFile == nil)
        #expect(!WatchPage.html(withControl: false).contains("data-command=\""))
        await server.close()
    }

    @Test func itsTokenIsNotSentOverTheNetwork() async throws {
        await #expect {
            _ = try await MetricsServer.open(
                try #require(ListenAddress("0.0.0.0:0")), control: Notebook(), tokenFile: "/tmp/never")
        } throws: {
            "\($0)".contains("plain text")
        }
        #expect(!FileManager.default.fileExists(atPath: "/tmp/never"))
    }

    @Test func aLinkInTheFilesPlaceIsReplacedAndNotFollowed() async throws {
        let directory = FileManager.default.temporaryDirectory.path
        let (file, victim) = ("\(directory)/sa-link-\(getpid())", "\(directory)/sa-victim-\(getpid())")
        try Data("mine".utf8).write(to: URL(filePath: victim))
        #expect(symlink(victim, file) == 0)
        let written = try ControlTokenFile.write(ControlToken(text: "token"), to: file)
        #expect(try String(contentsOf: URL(filePath: victim), encoding: .utf8) == "mine")
        #expect(try String(contentsOf: URL(filePath: file), encoding: .utf8) == "token\n")
        written.remove()
        try FileManager.default.removeItem(atPath: victim)
        #expect(throws: MetricsServer.Failure.self) {
            try ControlTokenFile.write(ControlToken(text: "token"), to: "/nonexistent/file")
        }
    }

    @Test func tokensAreRandomAndComparedWhole() {
        let tokens = Set((0..<100).map { _ in ControlToken.random().text })
        #expect(tokens.count == 100)
        let token = ControlToken(text: "abcd")
        #expect(token.matches("abcd"))
        for other in ["", "abc", "abcde", "abce", "bbcd"] { #expect(!token.matches(other)) }
    }
}
