import FoundationEssentials
import PgConnection

/// When a run may exchange the tables by itself, as its command line says. The server's clock counts.
struct CutOverSchedule: Sendable {
    let mode: MigrationOptions.CutOverMode
    /// While this file exists there is no cut-over.
    let postponeFlagFile: String?

    init(_ options: MigrationOptions) {
        mode = options.cutOver
        postponeFlagFile = options.postponeFlagFile
    }

    /// Whether the server knows the time zones; before anything is created.
    func check(on connection: isolated PgConnection) throws {
        for window in mode.windows {
            let isKnown: Bool = try connection.query(
                """
                SELECT EXISTS (SELECT FROM pg_timezone_names WHERE lower(name) = lower($1))
                    OR EXISTS (SELECT FROM pg_timezone_abbrevs WHERE lower(abbrev) = lower($1))
                """, [.text(window.timeZone)]
            ).single().value()
            guard isKnown else {
                throw MigrationError(
                    .refused, "the server does not know the time zone \(window.timeZone) of the window '\(window)'",
                    state: "nothing was touched",
                    advice: "name one that SELECT name FROM pg_timezone_names shows, such as UTC or Europe/Berlin")
            }
        }
    }

    /// What the cut-over waits for, for people; nil when it may be tried now.
    func wait(on connection: PgConnection) async throws -> String? {
        switch mode {
        case .auto: break
        case .manual: return "the new table stands ready and waits for `cut-over`"
        case .windows(let windows):
            for window in windows where try await isOpen(window, on: connection) { return flagged }
            let all = windows.map { "'\($0)'" }.joined(separator: " or ")
            return "the new table stands ready and waits for its window, \(all)"
        }
        return flagged
    }

    private var flagged: String? {
        guard let file = postponeFlagFile, FileManager.default.fileExists(atPath: file) else { return nil }
        return "the cut-over is postponed while the file \(file) exists"
    }

    private func isOpen(_ window: CutOverWindow, on connection: PgConnection) async throws -> Bool {
        try await connection.run { connection in
            let row = try connection.query(
                """
                SELECT extract(isodow FROM t)::int AS weekday, (extract(hour FROM t) * 60 + extract(minute FROM t))::int AS minute
                FROM (SELECT clock_timestamp() AT TIME ZONE $1 AS t) now
                """, [.text(window.timeZone)]
            ).single()
            return window.contains(.init(weekday: try row.get("weekday"), minute: try row.get("minute")))
        }
    }
}

/// Until when a run tries to exchange the tables.
public enum CutOverDeadline: Sendable, Equatable {
    /// From the start of the run.
    case after(Duration)
    /// As PostgreSQL reads a timestamp with time zone.
    case at(String)

    /// In seconds since 1970 by the server's clock.
    func epoch(on connection: isolated PgConnection) throws -> Double {
        switch self {
        case .after(let duration):
            return try connection.query(
                "SELECT extract(epoch FROM clock_timestamp())::float8 + $1::float8", [.double(duration.seconds)]
            ).single().value()
        case .at(let text):
            do {
                return try connection.query(
                    "SELECT extract(epoch FROM $1::timestamptz)::float8", [.text(text)]
                ).single().value()
            } catch let error as PgError where error.sqlState?.classCode == "22" {
                throw MigrationError(
                    .refused, "the deadline '\(text)' is neither a duration nor a time: \(error.message)",
                    state: "nothing was touched",
                    advice: "write it like 6h, or like '2030-01-31 04:00 Europe/Berlin'")
            }
        }
    }
}
