import FoundationEssentials
import Logging

/// Writes the log to standard error, one event a line.
struct LogOutput: LogHandler {
    let format: OutputArguments.LogFormat
    let line: ProgressLine?
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let text = format == .json ? json(event, all) : plain(event, all)
        if let line { line.above(text) } else { Terminal.printError(text) }
    }

    private func plain(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let time = Date.now.formatted(.iso8601.time(includingFractionalSeconds: false).timeZoneSeparator(.omitted))
        let details =
            metadata.isEmpty ? "" : " (" + metadata.map { "\($0): \($1)" }.sorted().joined(separator: ", ") + ")"
        let level = event.level >= .warning ? "\(event.level.rawValue.uppercased()) " : ""
        return "\(time) \(level)\(event.message)\(details)"
    }

    private struct Line: Encodable {
        let time: String
        let level: String
        let message: String
        let details: [String: String]
    }

    private func json(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let line = Line(
            time: Date.now.formatted(.iso8601), level: event.level.rawValue, message: "\(event.message)",
            details: metadata.mapValues { "\($0)" })
        return (try? JSONOutput.compact(line)) ?? "{}"
    }
}
