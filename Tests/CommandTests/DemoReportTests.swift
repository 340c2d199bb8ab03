import Foundation
import ShadowAlter
import Testing

@testable import LedgerWorkload
@testable import shadow_alter

struct DemoReportTests {
    /// A load with one acknowledged write.
    private func load(error: Bool = false, write: Bool = true, inDoubt: Bool = false) -> WorkloadReport {
        let meter = ClientMeter(client: 0)
        meter.countOperation(committed: true, changedRows: write)
        if inDoubt { meter.countOperation(committed: false, inDoubt: true) }
        if error {
            meter.record(
                ApplicationError(kind: .connectionLost, message: "gone", client: 0, operation: 1, statement: "SELECT"))
        }
        return WorkloadReport(seed: 7, clients: [meter.snapshot])
    }

    private func report(
        keyType: String = "bigint", load: WorkloadReport? = nil, discrepancies: [String] = [],
        leftBehind: [String] = [],
        lost: [String] = [], definition: [String] = DemoTable.expectedDumpChange
    ) throws -> DemoReport {
        let summary = """
            {"name": "orders", "strategy": "shadow", "timings": [{"phase": "copying", "seconds": 1}], "rowsCopied": 10,
             "keysRefreshed": 2, "oldTables": [], "finalized": false, "subscribers": [], "verify": {"rows_checked": 10, "mismatches": 0}, "cutOver": {"attempts": 1, "last_hold_ms": 4, "longest_wait_ms": 5}}
            """
        return DemoReport(
            keyType: .init(before: "integer", after: keyType),
            summary: try JSONDecoder().decode(MigrationSummary.self, from: Data(summary.utf8)), elapsed: .seconds(2),
            load: load ?? self.load(), spans: .init(), longestWait: .unnoticed, discrepancies: discrepancies,
            leftBehind: leftBehind, lost: lost, definition: definition, rows: 11)
    }

    @Test func allIsWellOnlyWhenEverythingIs() throws {
        let good = try report()
        #expect(good.complaints.isEmpty)
        #expect(good.lines.last?.hasPrefix("All is well.") == true)
        #expect(good.lines.contains("  left behind      nothing"))
        #expect(good.lines.contains("  errors           none, of 0 statements"))
    }

    @Test func everythingThatIsWrongIsAComplaint() throws {
        let bad = [
            try report(keyType: "integer"), try report(load: load(error: true)), try report(load: load(write: false)),
            try report(load: load(inDoubt: true)), try report(discrepancies: ["row missing: key 1"]),
            try report(leftBehind: ["schema orders_blue"]), try report(lost: ["constraint orders_number_key"]),
            try report(definition: []), try report(definition: DemoTable.expectedDumpChange + ["+ MAXVALUE 1"]),
        ]
        for report in bad {
            #expect(!report.complaints.isEmpty)
            #expect(!report.lines.contains { $0.hasPrefix("All is well") })
            #expect(report.lines.contains { $0.hasPrefix("NOT as it must be") && $0.contains("seed 7") })
        }
    }

    @Test func manyDifferencesAreCountedAndTheFirstOnesShown() throws {
        let complaints = try report(discrepancies: (1...12).map { "row missing: key \($0)" }).complaints
        #expect(complaints.count == 11)
        #expect(complaints.last == "12 differences in all")
    }
}
