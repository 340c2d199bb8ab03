import ShadowAlter

/// A status in Prometheus' text format, version 0.0.4. Pure.
public struct PrometheusText: Sendable {
    let status: MigrationStatus

    public init(status: MigrationStatus) { self.status = status }

    /// `Content-Type` of the text.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private enum Kind: String {
        case counter
        case gauge
    }

    private struct Sample {
        var labels: [(String, String)] = []
        var value: Double
    }

    public var text: String {
        var lines: [String] = []
        func metric(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
            // A value that is not known is left out: it is not zero.
            guard !samples.isEmpty else { return }
            lines.append("# HELP shadow_alter_\(name) \(help)")
            lines.append("# TYPE shadow_alter_\(name) \(kind.rawValue)")
            for sample in samples {
                let labels = ([("migration", status.name)] + sample.labels)
                    .map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
                lines.append("shadow_alter_\(name){\(labels)} \(Self.number(sample.value))")
            }
        }
        func plain(_ value: Double?) -> [Sample] { value.map { [Sample(value: $0)] } ?? [] }
        func perTable(_ value: (MigrationStatus.Table) -> Double?) -> [Sample] {
            status.tables.compactMap { table in
                value(table).map { Sample(labels: [("table", table.table)], value: $0) }
            }
        }
        metric(
            "phase", .gauge, "1 for the phase that the migration is in, 0 for the others.",
            Phase.allCases.map { Sample(labels: [("phase", $0.rawValue)], value: $0 == status.phase ? 1 : 0) })
        metric(
            "condition", .gauge, "1 for the condition that the migration is in, 0 for the others.",
            [MigrationStatus.Condition.running, .throttled, .paused, .waiting, .failed].map {
                Sample(labels: [("condition", $0.rawValue)], value: $0 == status.condition ? 1 : 0)
            })
        metric(
            "throttled", .gauge, "1 while something stops the work or slows it down, an operator's pause included.",
            plain([.throttled, .paused].contains(status.condition) ? 1 : 0))
        metric("ready", .gauge, "1 when only the cut-over is missing.", plain(status.ready ? 1 : 0))
        metric(
            "rollback_possible", .gauge, "1 when the migration can still be undone without a loss.",
            plain(status.rollbackPossible ? 1 : 0))
        metric(
            "rows_estimated", .gauge, "Rows of the table as PostgreSQL estimates them.",
            perTable { $0.rowsEstimated.map(Double.init) })
        metric("rows_copied_total", .counter, "Rows that were copied.", perTable { Double($0.rowsCopied) })
        metric(
            "copied_ratio", .gauge, "Part of the table's pages that is copied, 0 to 1.", perTable { $0.percent / 100 })
        metric(
            "copy_lanes", .gauge, "Sessions that may copy at this moment.", plain(status.copyLanes.map(Double.init)))
        metric("dirty_keys", .gauge, "Changed keys that wait to be refreshed.", plain(Double(status.dirtyKeysSpooled)))
        metric(
            "keys_refreshed_total", .counter, "Changed keys that were refreshed.", plain(Double(status.keysRefreshed)))
        metric(
            "stream_lag_bytes", .gauge, "WAL that is not durably spooled yet.",
            plain(status.streamLagBytes.map(Double.init)))
        metric(
            "retained_wal_bytes", .gauge, "WAL that the replication slot holds back.",
            plain(status.retainedWALBytes.map(Double.init)))
        metric(
            "cut_over_attempts_total", .counter, "Attempts to exchange the tables.",
            plain(Double(status.cutOver.attempts)))
        metric(
            "cut_over_attempts_failed_total", .counter, "Attempts that were given up.",
            plain(Double(max(0, status.cutOver.attempts - (status.phase.isAfterSwap ? 1 : 0)))))
        metric(
            "cut_over_wait_seconds", .gauge, "The longest time from an attempt's request for its locks to its end.",
            plain(status.cutOver.longestWaitMs.map { $0 / 1000 }))
        metric(
            "cut_over_hold_seconds", .gauge, "How long the last cut-over held its locks.",
            plain(status.cutOver.lastHoldMs.map { $0 / 1000 }))
        metric(
            "blockers", .gauge, "Sessions and prepared transactions that are in the way of the cut-over.",
            plain(Double(status.blockers.count)))
        metric(
            "verified_rows", .gauge, "Rows that the last verification has compared.",
            status.verify.outcome == nil ? [] : plain(Double(status.verify.rowsChecked)))
        metric(
            "verification_mismatches", .gauge, "Rows that the last verification has found to differ.",
            status.verify.outcome == nil ? [] : plain(Double(status.verify.mismatches)))
        metric("elapsed_seconds", .gauge, "Time since the migration was recorded.", plain(status.elapsedSeconds))
        metric("phase_eta_seconds", .gauge, "Time that the phase probably still takes.", plain(status.phaseEtaSeconds))
        metric("eta_seconds", .gauge, "Time that the migration probably still takes.", plain(status.etaSeconds))
        metric(
            "build_info", .gauge, "1; the program's version is a label.",
            [Sample(labels: [("version", Version.current)], value: 1)])
        return lines.joined(separator: "\n") + "\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
