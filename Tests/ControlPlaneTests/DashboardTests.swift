import Foundation
import ShadowAlter
import Testing

@testable import ControlPlane

/// The Grafana dashboard asks for what there is.
@Suite struct DashboardTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Docs/grafana/shadow-alter.json").standardized

    /// The names of the metrics in a text.
    private func metrics(_ text: String) -> Set<String> {
        Set(text.matches(of: /shadow_alter_[a-z_]+/).map { String($0.output) })
    }

    @Test func everyMetricInItIsServed() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let served = metrics(PrometheusText(status: try PrometheusTextTests.complete()).text)
        let asked = metrics(text)
        #expect(asked.count > 15 && asked.subtracting(served) == [])
        #expect(served.subtracting(asked) == [], "what is served and in no panel")
    }

    @Test func everyMetricIsInTheManual() throws {
        let manual = try String(contentsOf: Self.file.appending(path: "../../metrics.md").standardized, encoding: .utf8)
        let served = metrics(PrometheusText(status: try PrometheusTextTests.complete()).text)
        for name in served { #expect(manual.contains("| `\(name)` |"), "\(name)") }
        #expect(metrics(manual).subtracting(served) == [])
    }

    @Test func itCanBeImported() throws {
        let data = try Data(contentsOf: Self.file)
        let dashboard = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        let ids = panels.compactMap { $0["id"] as? Int }
        #expect(ids.count == panels.count && Set(ids).count == ids.count)
        let variables = (dashboard["templating"] as? [String: Any])?["list"] as? [[String: Any]]
        #expect(variables?.compactMap { $0["name"] as? String } == ["datasource", "migration"])
        for panel in panels {
            let source = panel["datasource"] as? [String: String]
            #expect(source?["uid"] == "${datasource}", "\(panel["title"] ?? "")")
            let targets = try #require(panel["targets"] as? [[String: Any]])
            #expect(targets.allSatisfy { ($0["expr"] as? String)?.contains("{migration=~\"$migration\"") == true })
            // No two panels on one place.
            let place = try #require(panel["gridPos"] as? [String: Int])
            #expect((place["x"] ?? 99) + (place["w"] ?? 99) <= 24)
        }
    }
}
