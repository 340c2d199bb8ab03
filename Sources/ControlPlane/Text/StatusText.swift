import ShadowAlter

/// A status for people. Pure.
public struct StatusText: Sendable {
    let status: MigrationStatus

    public init(status: MigrationStatus) { self.status = status }

    public var lines: [String] {
        let reason = status.reason.map { ": \($0)" } ?? ""
        var lines = ["\(status.name)  \(status.phase.rawValue), \(status.condition.rawValue)\(reason)"]
        let width = status.tables.map(\.table.count).max() ?? 0
        for table in status.tables {
            let estimate = table.rowsEstimated.map { " of about \(grouped($0))" } ?? ""
            lines.append(
                "  \(Figures.left(table.table, width))  \(grouped(table.rowsCopied))\(estimate) rows copied, \((table.percent * 10).rounded() / 10) %"
            )
        }
        lines.append(
            "  keys            \(keys) waiting, \(grouped(status.keysRefreshed)) refreshed")
        if let retained = status.retainedWALBytes { lines.append("  WAL retained    \(ByteCount(retained))") }
        if let lag = status.streamLagBytes { lines.append("  stream lag      \(ByteCount(lag))") }
        if let age = status.oldestTransactionSeconds {
            lines.append("  transactions    the oldest of this tool's is open for \((age * 10).rounded() / 10) s")
        }
        if status.cutOver.attempts > 0 {
            let hold = status.cutOver.lastHoldMs.map { ", lock held \(($0 * 10).rounded() / 10) ms" } ?? ""
            let error = status.cutOver.lastError.map { ", last error: \($0)" } ?? ""
            lines.append("  cut-over        \(status.cutOver.attempts) attempt(s)\(hold)\(error)")
        }
        if let verified = VerificationText(status.verify).line { lines.append("  verified        \(verified)") }
        for blocker in status.blockers { lines.append("  in the way      \(blocker)") }
        if !status.phase.isAfterSwap, !status.ready, status.etaSeconds != nil || status.phaseEtaSeconds != nil {
            let phase = status.phaseEtaSeconds.map { "\(status.phase.rawValue) ends in \(time(Int64($0)))" }
            let total = status.etaSeconds.map { "ready in \(time(Int64($0)))" }
            lines.append("  to go           \([phase, total].compactMap(\.self).joined(separator: ", "))")
        }
        lines.append("  started         \(status.startedAt), \(time(Int64(status.elapsedSeconds))) elapsed")
        if !status.message.isEmpty { lines.append("  message         \(status.message)") }
        return lines
    }

    private var keys: String {
        status.dirtyKeysSpooled == StatusReader.countedKeys + 1
            ? "more than \(grouped(StatusReader.countedKeys))" : grouped(status.dirtyKeysSpooled)
    }

    /// The same on one line.
    var short: String {
        let percent = status.tables.map(\.percent).min().map { ", \(($0 * 10).rounded() / 10) % copied" } ?? ""
        let lag = status.streamLagBytes.map { ", lag \(ByteCount($0))" } ?? ""
        let reason = status.reason.map { ": \($0)" } ?? ""
        return
            "\(status.name) \(status.phase.rawValue)\(percent), \(keys) keys waiting\(lag), "
            + "\(status.condition.rawValue)\(reason)"
    }
}
