import ControlPlane
import PgConnection
import ShadowAlter

/// A run's last words. Pure.
struct SummaryText {
    let summary: MigrationSummary
    let elapsed: Duration

    var lines: [String] {
        var lines = ["Done: \(summary.name) has its new definition after \(Figures.seconds(elapsed / .seconds(1)))."]
        if !summary.timings.isEmpty {
            let phases = summary.timings.map { "\($0.phase) \(Figures.seconds($0.seconds))" }
            lines.append("  time per phase   " + phases.joined(separator: ", "))
        }
        if summary.strategy == .shadow {
            lines.append("  rows copied      \(grouped(summary.rowsCopied))")
            lines.append("  keys refreshed   \(grouped(summary.keysRefreshed))")
            if let verified = VerificationText(summary.verify).line { lines.append("  verified         \(verified)") }
        }
        if let hold = summary.cutOver.lastHoldMs, let wait = summary.cutOver.longestWaitMs {
            let attempts = summary.cutOver.attempts
            lines.append(
                "  cut-over         lock held \(Figures.milliseconds(hold)), \(Figures.milliseconds(wait)) from request to commit, "
                    + "\(attempts) attempt\(attempts == 1 ? "" : "s")")
        }
        for advice in summary.subscribers { lines.append("  subscribers      \(advice)") }
        if summary.finalized { lines.append("  old tables       dropped, as --finalize-after wanted it") }
        for table in summary.oldTables { lines.append("  old table        \(table)") }
        if !summary.oldTables.isEmpty {
            let it = summary.oldTables.count == 1 ? "it  " : "them"
            lines.append("  to drop \(it)     shadow-alter finalize \(summary.name)")
        }
        return lines
    }
}
