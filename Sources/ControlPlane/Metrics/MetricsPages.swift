import FoundationEssentials
import ShadowAlter

/// What the metrics endpoint serves. No I/O of its own.
struct MetricsPages: Sendable {
    let status: StatusCache
    /// nil: nobody may steer over HTTP.
    var steering: ControlPages?

    struct Page: Sendable, Equatable {
        /// HTTP's status code.
        var code: Int
        var contentType: String
        var body: String

        static func text(_ code: Int, _ body: String) -> Self {
            Self(code: code, contentType: "text/plain; charset=utf-8", body: body + "\n")
        }
    }

    func page(_ request: ControlPages.Request) async -> Page {
        if let steering, request.path.hasPrefix(ControlPages.prefix) {
            let page = await steering.page(request)
            await status.forget()
            return page
        }
        guard request.method == "GET" || request.method == "HEAD" else { return .text(405, "GET and HEAD only") }
        do {
            switch request.path {
            case "/":
                return Page(
                    code: 200, contentType: "text/html; charset=utf-8",
                    body: WatchPage.html(withControl: steering != nil))
            case "/metrics":
                let text = PrometheusText(status: try await status.status()).text
                return Page(code: 200, contentType: PrometheusText.contentType, body: text)
            case "/status.json":
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                let data = try encoder.encode(try await status.status())
                return Page(
                    code: 200, contentType: "application/json", body: String(decoding: data, as: UTF8.self))
            case "/healthz":
                _ = try await status.status()
                return .text(200, "ok")
            default: return .text(404, "there are /, /metrics, /status.json and /healthz")
            }
        } catch {
            return .text(503, "\(error)")
        }
    }
}
