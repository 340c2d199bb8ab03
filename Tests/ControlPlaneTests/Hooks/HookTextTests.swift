import FoundationEssentials
import ShadowAlter
import Testing

@testable import ControlPlane

@Suite("What hooks are told, and what they say") struct HookTextTests {
    private func scene(_ change: MigrationRequest.Change = .alter(table: "item", clauses: "ALTER id TYPE bigint"))
        throws -> EventScene
    {
        let json = """
            {"name": "item", "phase": "copying", "condition": "running", "ready": false, "dirty_keys_spooled": 0, "keys_refreshed": 0,
             "tables": [{"table": "public.item", "rows_estimated": 100, "rows_copied": 40, "percent": 41.23},
                        {"table": "public.Other", "rows_estimated": 10, "rows_copied": 2, "percent": 20}],
             "cut_over": {"attempts": 3, "last_hold_ms": 4.26}, "verify": {"rows_checked": 0, "mismatches": 0},
             "started_at": "2026-01-01 00:00:00+00", "elapsed_seconds": 61.9, "rollback_possible": true, "message": "", "blockers": []}
            """
        var subject = EventScene.Subject(
            name: "item", tables: ["\"public\".\"item\"", "\"public\".\"Other\""], change: change)
        subject.database = "shop"
        subject.server = "10.0.0.1:5432"
        return EventScene(
            subject: subject, status: try JSONDecoder().decode(MigrationStatus.self, from: Data(json.utf8)),
            percent: 41.23)
    }

    @Test func theEnvironment() throws {
        let all = HookEnvironment.variables(.copyComplete, in: try scene())
        let expected = [
            "EVENT": "copy-complete", "NAME": "item", "DATABASE": "shop", "SERVER": "10.0.0.1:5432",
            "TABLES": "\"public\".\"item\",\"public\".\"Other\"", "CHANGE": "ALTER id TYPE bigint", "PHASE": "copying",
            "CONDITION": "running", "REASON": "", "READY": "false", "ROWS_COPIED": "42", "ROWS_ESTIMATED": "110",
            "PERCENT": "41.2", "ELAPSED_SECONDS": "61", "ETA_SECONDS": "", "CUT_OVER_ATTEMPTS": "3", "HOLD_MS": "4.3",
            "RESUMED": "false", "SOCKET": "", "THROTTLE": "", "ERROR_CODE": "", "ERROR": "", "ERROR_STATE": "",
            "ERROR_ADVICE": "",
        ]
        #expect(all == Dictionary(uniqueKeysWithValues: expected.map { ("SHADOW_ALTER_" + $0.key, $0.value) }))
    }

    @Test func detailsOfEvents() throws {
        let stoppage = MigrationEvent.Stoppage(isBeginning: false, condition: .throttled, reason: "replica lag")
        #expect(HookEnvironment.variables(.throttle(stoppage), in: try scene())["SHADOW_ALTER_THROTTLE"] == "end")
        let failure = MigrationFailure(code: "bad-data", message: "row 1", state: "kept", advice: "mend it")
        let all = HookEnvironment.variables(.failure(failure), in: try scene())
        #expect(
            ["ERROR_CODE", "ERROR", "ERROR_STATE", "ERROR_ADVICE"].map { all["SHADOW_ALTER_" + $0] }
                == ["bad-data", "row 1", "kept", "mend it"])
    }

    /// Larger ones, or such with a NUL, would keep the hook from being started.
    @Test func valuesFit() throws {
        let script = String(repeating: "ä\0", count: 200_000)
        let change = HookEnvironment.variables(.startup, in: try scene(.script(script)))["SHADOW_ALTER_CHANGE"] ?? ""
        #expect(
            change.hasPrefix("ää") && change.hasSuffix("ä…") && change.utf8.count <= HookEnvironment.longestValue + 4)
    }

    @Test func outputIsCutIntoLines() {
        var output = HookOutput()
        #expect(output.take(Array("one\r\ntw".utf8)) == ["one"])
        #expect(output.take(Array("o\n\n  \n\u{1b}[31mred\tx\u{7f}\nlast".utf8)) == ["two", "[31mred x"])
        #expect(output.lastLine == "[31mred x")
        #expect(output.finish() == ["last"])
        #expect(output.lastLine == "last")
        #expect(output.finish().isEmpty)
        #expect(output.take(Array(repeating: UInt8(ascii: "y"), count: HookOutput.longestLine * 2)).count == 2)
    }

    @Test func outputEndsAtItsLimit() {
        var output = HookOutput()
        let exact = Array(repeating: Array("\(String(repeating: "x", count: 63))\n".utf8), count: 1024).flatMap { $0 }
        #expect(output.take(exact).count == 1024)
        #expect(!output.isCut)
        #expect(output.take([65]) == ["(its output is cut here, after 64 kB)"])
        #expect(output.take(exact).isEmpty)
        #expect(output.lastLine?.hasPrefix("xxx") == true)
    }
}
