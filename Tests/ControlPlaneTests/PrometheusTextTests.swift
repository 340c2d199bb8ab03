import FoundationEssentials
import ShadowAlter
import Testing

@testable import ControlPlane

@Suite struct PrometheusTextTests {
    static func status(_ name: String = "orders") throws -> MigrationStatus {
        let json = """
            {"name": \(String(decoding: try JSONEncoder().encode(name), as: UTF8.self)), "phase": "copying", "condition": "throttled", "reason": "r", "ready": false,
             "tables": [{"table": "public.orders", "rows_estimated": 2000000, "rows_copied": 500000, "percent": 25.5},
                        {"table": "public.\\"Odd\\"", "rows_copied": 3, "percent": 100}],
             "dirty_keys_spooled": 17, "keys_refreshed": 4, "retained_wal_bytes": 1048576,
             "cut_over": {"attempts": 2, "last_hold_ms": 12.5}, "blockers": [], "verify": {"rows_checked": 0, "mismatches": 0},
             "started_at": "2030-01-01 00:00:00+00", "elapsed_seconds": 12.25, "rollback_possible": true, "message": ""}
            """
        return try JSONDecoder().decode(MigrationStatus.self, from: Data(json.utf8))
    }

    /// One of which everything is known.
    static func complete() throws -> MigrationStatus {
        var status = try status()
        status.streamLagBytes = 512
        status.etaSeconds = 60.5
        status.phaseEtaSeconds = 30
        status.copyLanes = 2
        status.cutOver.longestWaitMs = 20
        status.verify.rowsChecked = 1000
        status.verify.mismatches = 1
        status.verify.outcome = .passed
        return status
    }

    @Test func everyMetricHasItsHelpAndTypeOnceAndBeforeItsSamples() throws {
        let lines = PrometheusText(status: try Self.status()).text.split(separator: "\n").map(String.init)
        var described: [String] = []
        for line in lines {
            if line.hasPrefix("# HELP ") {
                described.append(String(line.split(separator: " ")[2]))
            } else if line.hasPrefix("# TYPE ") {
                #expect(line.split(separator: " ")[2] == described.last ?? "")
            } else {
                #expect(line.prefix { $0 != "{" } == described.last ?? "", "\(line)")
                #expect(Double(line.split(separator: " ").last ?? "") != nil, "\(line)")
            }
        }
        #expect(Set(described).count == described.count && described.count > 10)
        for name in described where name.hasSuffix("_total") {
            #expect(lines.contains("# TYPE \(name) counter"))
        }
    }

    @Test func valuesAreTheStatuss() throws {
        let text = PrometheusText(status: try Self.status()).text
        for line in [
            #"shadow_alter_phase{migration="orders",phase="copying"} 1"#,
            #"shadow_alter_phase{migration="orders",phase="ready"} 0"#,
            #"shadow_alter_condition{migration="orders",condition="throttled"} 1"#,
            #"shadow_alter_rows_copied_total{migration="orders",table="public.orders"} 500000"#,
            #"shadow_alter_copied_ratio{migration="orders",table="public.orders"} 0.255"#,
            #"shadow_alter_rows_copied_total{migration="orders",table="public.\"Odd\""} 3"#,
            #"shadow_alter_retained_wal_bytes{migration="orders"} 1048576"#,
            #"shadow_alter_cut_over_hold_seconds{migration="orders"} 0.0125"#,
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    @Test func whatAnswersOnlySometimesIsThereThen() throws {
        let text = PrometheusText(status: try Self.complete()).text
        for line in [
            #"shadow_alter_throttled{migration="orders"} 1"#, #"shadow_alter_copy_lanes{migration="orders"} 2"#,
            #"shadow_alter_eta_seconds{migration="orders"} 60.5"#,
            #"shadow_alter_phase_eta_seconds{migration="orders"} 30"#,
            #"shadow_alter_cut_over_attempts_total{migration="orders"} 2"#,
            #"shadow_alter_cut_over_attempts_failed_total{migration="orders"} 2"#,
            #"shadow_alter_cut_over_wait_seconds{migration="orders"} 0.02"#,
            #"shadow_alter_verified_rows{migration="orders"} 1000"#,
            #"shadow_alter_verification_mismatches{migration="orders"} 1"#,
            "shadow_alter_build_info{migration=\"orders\",version=\"\(Version.current)\"} 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    /// What programs read of a status is all that there is.
    @Test func aStatusIsTheSameAfterJSON() throws {
        let status = try Self.complete()
        #expect(try JSONDecoder().decode(MigrationStatus.self, from: JSONEncoder().encode(status)) == status)
    }

    @Test func whatIsNotKnownIsLeftOut() throws {
        let text = PrometheusText(status: try Self.status()).text
        #expect(!text.contains("stream_lag") && !text.contains("eta_seconds") && !text.contains("copy_lanes"))
        #expect(!text.contains(#"rows_estimated{migration="orders",table="public.\"Odd\""}"#))
    }

    @Test func namesCannotBreakALine() throws {
        let text = PrometheusText(status: try Self.status("a\"b\\c\nd")).text
        #expect(text.contains(#"migration="a\"b\\c\nd""#))
        #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("shadow_alter_") })
    }
}

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("9090", "127.0.0.1", 9090), ("0.0.0.0:9090", "0.0.0.0", 9090), ("[::1]:80", "::1", 80), ("db1:0", "db1", 0),
    ])
    func isRead(_ text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port)
    }

    @Test(arguments: ["", ":", "host", "host:", ":9090", "::1:9090", "65536", "-1", "1.5", "a:b"])
    func isRefused(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
