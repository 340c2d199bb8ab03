import ControlPlane
import LedgerWorkload
import ShadowAlter

/// What a demonstration has shown. Pure.
struct DemoReport: Sendable {
    struct KeyType: Sendable {
        let before: String
        let after: String
    }

    /// The longest statement around the cut-over.
    enum LongestWait: Sendable, Equatable {
        /// None took as long as the load notes one by one.
        case unnoticed
        case milliseconds(Double)

        init(_ statement: SlowStatement?) {
            self = statement.map { .milliseconds(Double($0.nanoseconds) / 1e6) } ?? .unnoticed
        }
    }

    let keyType: KeyType
    let summary: MigrationSummary
    let elapsed: Duration
    let load: WorkloadReport
    let spans: LoadMarks.Spans
    /// nil when the cut-over was never seen.
    let longestWait: LongestWait?
    let discrepancies: [String]
    let leftBehind: [String]
    let lost: [String]
    /// What differs between the two `pg_dump --schema-only`.
    let definition: [String]
    /// In the table at the end.
    let rows: Int64

    /// Everything that is not as it must be, for people; empty when all is well.
    var complaints: [String] {
        var complaints = load.errors.prefix(10).map { "an application error: \($0)" }
        if load.errorCount > complaints.count { complaints.append("\(load.errorCount) application errors in all") }
        if load.inDoubt > 0 { complaints.append("\(load.inDoubt) transactions of unknown outcome") }
        if load.writes == 0 { complaints.append("not a single write was acknowledged") }
        complaints += discrepancies.prefix(10)
        if discrepancies.count > 10 { complaints.append("\(discrepancies.count) differences in all") }
        if keyType.after != "bigint" { complaints.append("the key is of type \(keyType.after)") }
        complaints += leftBehind.map { "left behind: \($0)" } + lost.map { "lost: \($0)" }
        if definition != DemoTable.expectedDumpChange {
            complaints.append("the table's definition differs in more, or less, than the key's type:")
            complaints += definition.map { "  \($0)" }
        }
        return complaints
    }

    var lines: [String] {
        let hold = summary.cutOver.lastHoldMs.map { Figures.milliseconds($0) } ?? "unknown"
        let errors = load.errorCount == 0 ? "none" : grouped(Int64(load.errorCount))
        var lines = [
            "Result",
            "  key              \(DemoTable.name).id was \(keyType.before), is \(keyType.after)",
            "  rows             \(grouped(summary.rowsCopied)) copied, \(grouped(summary.keysRefreshed)) brought up to date "
                + "after the copy, \(grouped(rows)) in the table now",
            "  writes           \(grouped(Int64(load.writes))) acknowledged, "
                + (discrepancies.isEmpty
                    ? "all of them in the table, and nothing else" : "\(discrepancies.count) DIFFERENCES"),
            "  errors           \(errors), of \(grouped(Int64(load.statements))) statements",
            "  lock held        \(hold), in \(summary.cutOver.attempts) attempt\(summary.cutOver.attempts == 1 ? "" : "s")",
            "  longest wait     \(waitText)",
            "  time             "
                + (summary.timings.map { "\($0.phase) \(Figures.seconds($0.seconds))" } + [
                    "in all \(Figures.seconds(elapsed / .seconds(1)))"
                ])
                .joined(separator: ", "),
            "  definition       \(definition == DemoTable.expectedDumpChange ? "nothing but the key's type differs (pg_dump)" : "NOT as asked for")",
            "  left behind      \(leftBehind.isEmpty ? "nothing" : leftBehind.joined(separator: ", "))",
            "",
            Self.heading,
        ]
        lines += [("before the migration", spans.before), ("during it", spans.during), ("after it", spans.after)]
            .map { Self.row($0.0, $0.1) }
        if complaints.isEmpty {
            lines += ["", "All is well. The private server is stopped, and its directory is removed."]
        } else {
            lines += [
                "", "NOT as it must be (the private server is stopped, its directory removed; seed \(load.seed)):",
            ]
            lines += complaints.map { "  \($0)" }
        }
        return lines
    }

    private var waitText: String {
        switch longestWait {
        case nil: "unknown: the cut-over was not seen"
        case .unnoticed: "no statement took 2 ms around the cut-over"
        case .milliseconds(let value): "\(Figures.milliseconds(value)), the longest statement around the cut-over"
        }
    }

    private static let width = 34

    private static let heading =
        "  " + Figures.left("what the application's statements took", width + 4)
        + ["median", "99 % within", "longest"].map { Figures.right($0, 13) }.joined()

    private static func row(_ title: String, _ span: LatencySpan?) -> String {
        let cells = [span?.latency(percentile: 50), span?.latency(percentile: 99), span?.longestLatency].map { value in
            Figures.right(value.map { Figures.milliseconds(Double($0) / 1000) } ?? "-", 13)
        }
        return "    " + Figures.left(title, width + 2) + cells.joined()
    }
}
