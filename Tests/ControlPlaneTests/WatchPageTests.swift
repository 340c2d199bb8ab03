import Foundation
import ShadowAlter
import TestSupport
import Testing

@testable import ControlPlane

/// The page as a browser shows it. Needs Chromium: in PATH, or where SHADOW_ALTER_CHROMIUM says.
@Suite(.serialized, .timeLimit(.minutes(3))) struct WatchPageTests {
    /// What the page has become after some seconds; nil, with the reason printed, where there is no browser.
    private func dom(_ server: MetricsServer, _ hash: String = "") throws -> String? {
        let names = ["chromium", "chromium-browser", "google-chrome", "chrome"]
        guard let browser = OtherProgram.find(names, variable: "SHADOW_ALTER_CHROMIUM") else {
            print(
                "not tested in a browser: none of \(names.joined(separator: ", ")) is in PATH, and SHADOW_ALTER_CHROMIUM names none"
            )
            return nil
        }
        let profile = FileManager.default.temporaryDirectory.appending(
            path: "sa-browser-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: profile) }
        let answer = try OtherProgram.run(
            browser,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(profile.path())",
                "--virtual-time-budget=9000", "--dump-dom", "http://\(server.address)/\(hash)",
            ])
        guard answer.output.contains("<html") else {
            print("not tested in a browser: \(browser.path()) ended with \(answer.status): \(answer.error.suffix(500))")
            return nil
        }
        return answer.output
    }

    private func open(tokenFile: String? = nil) async throws -> MetricsServer {
        try await MetricsServer.open(
            try #require(ListenAddress("0")), control: Notebook(status: try PrometheusTextTests.status()),
            tokenFile: tokenFile)
    }

    @Test func showsWhereTheMigrationStands() async throws {
        let server = try await open()
        defer { Task { await server.close() } }
        guard let dom = try dom(server) else { return }
        for text in [
            "<title>orders: copying</title>", ">orders</h1>", "class=\"state throttled\"", "time left: unknown",
            "<li class=\"past\">capturing</li>", "<li class=\"now\">copying</li>", "<li>ready</li>",
            "500,000 of about 2,000,000 rows, 25.5 %", "width: 25.5%", ">1.0 MB</strong>", "Rows copied a second",
            ">Stream lag</h2><strong>unknown</strong>", ">Lock attempts</h2><strong>2</strong>",
        ] {
            #expect(dom.contains(text), "\(text)")
        }
        // A point for every look, of which there were several.
        #expect(dom.contains("<polyline points=\"0.00,1.00 "))
        #expect(!dom.contains("id=\"control\""))
    }

    @Test func asksForTheTokenAndThenShowsItsButtons() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "sa-\(UInt64.random(in: 0 ... .max))").path()
        let server = try await open(tokenFile: file)
        defer { Task { await server.close() } }
        guard let asked = try dom(server) else { return }
        #expect(asked.contains("id=\"buttons\" hidden=\"\"") && !asked.contains("id=\"entry\" hidden"))
        let token = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let known = try #require(try dom(server, "#token=\(token)"))
        #expect(!known.contains("id=\"buttons\" hidden") && known.contains("id=\"entry\" hidden=\"\""))
        #expect(!known.contains(token))
    }
}
