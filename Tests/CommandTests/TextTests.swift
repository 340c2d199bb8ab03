import ArgumentParser
import ControlPlane
import Foundation
import PgConnection
import Testing

@testable import ShadowAlter
@testable import shadow_alter

struct TextTests {
    private func snapshot(_ phase: Phase, _ change: (inout StatusBox.Snapshot) -> Void = { _ in }) -> StatusBox.Snapshot
    {
        var snapshot = StatusBox().snapshot
        snapshot.phase = phase
        change(&snapshot)
        return snapshot
    }

    private func line(_ snapshot: StatusBox.Snapshot, rate: Double? = nil, barWidth: Int = 0) -> String {
        ProgressText(snapshot: snapshot, elapsed: .seconds(75), rate: rate).line(barWidth: barWidth)
    }

    private func copying() -> StatusBox.Snapshot {
        snapshot(.copying) { snapshot in
            snapshot.tables = [.init(name: QualifiedName(schema: "public", name: "orders"))]
            snapshot.tables[0].pages = 1000
            snapshot.tables[0].pagesCopied = 250
            snapshot.tables[0].rowsCopied = 1_000_000
        }
    }

    @Test func theLineOfTheCopyHasBarRateAndEnd() {
        var snapshot = copying()
        #expect(line(snapshot) == "copying  25 %  1,000,000 rows  1:15 elapsed", "no rate, no end, no bar")
        snapshot.estimate.phase = 30
        #expect(
            line(snapshot, rate: 100_000, barWidth: 8)
                == "copying  [##······]  25 %  1,000,000 rows  100,000/s  copy ends in 0:30  1:15 elapsed")
    }

    @Test func theLineOfEachPhaseSaysWhatCounts() {
        #expect(
            line(
                snapshot(.indexing) {
                    $0.indexesToBuild = 4
                    $0.indexesBuilt = 1
                })
                == "indexing  1 of 4 indexes built  1:15 elapsed")
        #expect(
            line(
                snapshot(.catchingUp) {
                    $0.keysRefreshed = 12_345
                    $0.streamLag = 2048
                })
                == "catching-up  12,345 keys refreshed  lag 2.0 kB  1:15 elapsed")
        #expect(
            line(
                snapshot(.cuttingOver) {
                    $0.cutOver.attempts = 2
                    $0.reason = "waiting: session 7"
                })
                == "cutting-over  0 keys refreshed  attempt 2  1:15 elapsed  waiting: session 7")
        #expect(line(snapshot(.capturing)) == "capturing  1:15 elapsed")
    }

    @Test(arguments: [(Int64(0), "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
    func numbersAreGrouped(number: Int64, text: String) {
        #expect(grouped(number) == text)
    }

    @Test(arguments: [(Int64(0), "0:00"), (59, "0:59"), (61, "1:01"), (3600, "1:00:00"), (90_061, "25:01:01")])
    func timesReadAsClocks(seconds: Int64, text: String) {
        #expect(time(seconds) == text)
    }

    private func status() -> MigrationStatus {
        MigrationStatus(
            name: "orders", phase: .copying, condition: .paused, reason: "no run is alive", ready: false,
            tables: [.init(table: "public.orders", rowsEstimated: 4000, rowsCopied: 1000, percent: 24.96)],
            dirtyKeysSpooled: 17, keysRefreshed: 5, streamLagBytes: 512, retainedWALBytes: 1 << 20,
            cutOver: .init(attempts: 3, lastError: "the lock was not granted", lastHoldMs: 4.26, longestWaitMs: nil),
            verify: .init(), startedAt: "2025-01-01 00:00:00+00", elapsedSeconds: 62, etaSeconds: nil,
            rollbackPossible: true,
            message: "cut-over waits")
    }

    @Test func aStatusIsReadable() {
        #expect(
            StatusText(status: status()).lines == [
                "orders  copying, paused: no run is alive",
                "  public.orders  1,000 of about 4,000 rows copied, 25.0 %",
                "  keys            17 waiting, 5 refreshed",
                "  WAL retained    1.0 MB",
                "  stream lag      512 bytes",
                "  cut-over        3 attempt(s), lock held 4.3 ms, last error: the lock was not granted",
                "  started         2025-01-01 00:00:00+00, 1:02 elapsed",
                "  message         cut-over waits",
            ])
    }

    @Test func aVerificationSaysWhatCameOfIt() {
        var verify = MigrationStatus.Verify()
        #expect(VerificationText(verify).line == nil)
        verify.outcome = .passed
        verify.mode = "full"
        verify.rowsChecked = 4000
        #expect(VerificationText(verify).line == "4,000 rows, no difference")
        verify.mismatches = 3
        verify.mode = "sample=1%"
        verify.uncompared = ["public.orders.made"]
        #expect(
            VerificationText(verify).line
                == "4,000 rows (sample=1%), 3 differed and were repaired; not compared: public.orders.made")
        verify.outcome = .failed
        var status = status()
        status.verify = verify
        #expect(
            StatusText(status: status).lines.contains(
                "  verified        FAILED: 3 differed; not compared: public.orders.made"))
    }

    @Test func severalTablesStandInColumns() {
        var several = status()
        several.tables = [
            .init(table: "public.users", rowsEstimated: nil, rowsCopied: 7, percent: 100),
            .init(table: "public.user_sessions", rowsEstimated: 0, rowsCopied: 0, percent: 0),
        ]
        #expect(
            StatusText(status: several).lines[1...2] == [
                "  public.users          7 rows copied, 100.0 %",
                "  public.user_sessions  0 of about 0 rows copied, 0.0 %",
            ])
    }

    @Test func aStatusAsJSONHasTheFieldsOfTheContract() throws {
        let text = try JSONOutput.compact(status())
        for field in [
            "name", "phase", "condition", "reason", "ready", "tables", "dirty_keys_spooled", "keys_refreshed",
            "stream_lag_bytes", "retained_wal_bytes", "cut_over", "attempts", "last_error", "last_hold_ms", "verify",
            "rows_checked", "mismatches", "started_at", "elapsed_seconds", "rollback_possible", "message", "table",
            "rows_estimated", "rows_copied", "percent",
        ] { #expect(text.contains("\"\(field)\":"), "\(field)") }
    }

    @Test func failuresHaveTheirExitCodes() {
        func error(_ code: MigrationError.Code) -> MigrationError { MigrationError(code, "m", state: "s", advice: "a") }
        let refusal = Refusal(code: "c", object: "o", what: "w", why: "y", fix: "f")
        #expect(Failure.exitCode(for: Refused([refusal])) == ExitCode(3))
        #expect(Failure.exitCode(for: error(.refused)) == ExitCode(3))
        #expect(Failure.exitCode(for: error(.aborted)) == ExitCode(4))
        #expect(Failure.exitCode(for: error(.server)) == ExitCode(1))
        #expect(Failure.exitCode(for: CancellationError()) == ExitCode(1))
    }

    @Test func failuresSayWhatHappenedTheStateAndTheNextStep() {
        #expect(
            Failure.text(MigrationError(.server, "it broke", state: "kept", advice: "again"))
                == "it broke\nState: kept\nNext: again")
        #expect(Failure.text(CancellationError()).contains("it continues"))
        let refusal = Refusal(code: "c", object: "public.o", what: "is odd", why: "because", fix: "mend it")
        #expect(
            Failure.text(Refused([refusal]))
                == "Refused, nothing was touched:\n  public.o: is odd\n    why  because\n    fix  mend it")
    }

    @Test func figuresStandInColumns() {
        #expect(Figures.seconds(1.26) == "1.3 s")
        #expect(Figures.milliseconds(4.0) == "4.0 ms")
        #expect(Figures.left("ab", 4) + "|" == "ab  |")
        #expect(Figures.right("ab", 4) == "  ab")
        #expect(Figures.right("abcdef", 4) == "abcdef", "nothing is cut")
    }

    @Test func differencesOfDumpsAreThoseLines() {
        let before = "CREATE TABLE t (\n    id integer NOT NULL,\n    a text\n);"
        #expect(DumpDifference(from: before, to: before).lines.isEmpty)
        #expect(
            DumpDifference(from: before, to: "CREATE TABLE t (\n    id bigint NOT NULL,\n    a text\n);").lines
                == ["-     id integer NOT NULL,", "+     id bigint NOT NULL,"])
    }

    @Test func inventoriesTellWhatIsNewAndWhatIsGone() {
        let before = DemoInventory(entries: ["schema public", "index a"])
        let after = DemoInventory(entries: ["schema public", "schema orders_blue"])
        #expect(after.added(since: before) == ["schema orders_blue"])
        #expect(after.missing(since: before) == ["index a"])
    }
}

struct SummaryTests {
    private func summary(
        _ strategy: MigrationPlan.Strategy, finalized: Bool = false
    ) throws -> MigrationSummary {
        let old = strategy == .shadow && !finalized ? #"{"schema":"orders_blue","name":"orders"}"# : ""
        let json = """
            {"name": "orders", "strategy": "\(strategy.rawValue)", "timings": [{"phase": "copying", "seconds": 1.26}],
             "rowsCopied": 1234567, "keysRefreshed": 89, "oldTables": [\(old)], "finalized": \(finalized), "subscribers": ["orders in the publication p: nothing"],
             "cutOver": {"attempts": 1, "last_hold_ms": 4.24, "longest_wait_ms": 5.75},
             "verify": {"rows_checked": 1234567, "mismatches": 0\(strategy == .shadow ? #", "outcome": "passed""# : "")}}
            """
        return try JSONDecoder().decode(MigrationSummary.self, from: Data(json.utf8))
    }

    @Test func aShadowRunEndsWithEverythingThatOneWantsToKnow() throws {
        #expect(
            SummaryText(summary: try summary(.shadow), elapsed: .milliseconds(2040)).lines == [
                "Done: orders has its new definition after 2.0 s.",
                "  time per phase   copying 1.3 s",
                "  rows copied      1,234,567",
                "  keys refreshed   89",
                "  verified         1,234,567 rows, no difference",
                "  cut-over         lock held 4.2 ms, 5.8 ms from request to commit, 1 attempt",
                "  subscribers      orders in the publication p: nothing",
                "  old table        orders_blue.orders",
                "  to drop it       shadow-alter finalize orders",
            ])
    }

    @Test func aRunThatHasFinalizedLeavesNothingToBeDone() throws {
        let lines = SummaryText(summary: try summary(.shadow, finalized: true), elapsed: .seconds(1)).lines
        #expect(lines.contains("  old tables       dropped, as --finalize-after wanted it"))
        #expect(!lines.contains { $0.contains("shadow-alter finalize") })
    }

    @Test func aNativeRunHasNoOldTable() throws {
        let lines = SummaryText(summary: try summary(.native), elapsed: .seconds(1)).lines
        #expect(!lines.contains { $0.contains("old table") || $0.contains("finalize") || $0.contains("rows copied") })
    }
}
