import Testing

@testable import ShadowAlter

@Suite struct SettingTests {
    private static let values: [Setting: (good: String, bad: [String])] = [
        .chunkTime: ("250ms", ["", "0ms", "1", "-1s", "soon"]),
        .vetoInterval: ("30s", ["0s", "30"]),
        .copyWorkers: ("7", ["0", "65", "two"]),
        .terminateBlockers: ("after=30s,idle-in-transaction-only", ["30s", "after=0s", "on"]),
        .standbySnapshots: ("ignore", ["", "off", "Wait"]),
        .chunkSize: ("4096", ["0", "-1", "1000001", "many", "1.5"]),
        .niceRatio: ("0.5", ["-0.1", "101", "nan", "x"]),
        .lockTimeout: ("2s", ["0s", "2"]),
        .cutOverBudget: ("3s", ["", "0.1ms"]),
        .maximumRetainedWAL: ("3GB", ["3", "0B", "3gb"]),
        .maximumReplicaLag: ("7s", ["7", "0ms", "never"]),
        .maximumLoad: ("active-sessions<=20;SELECT 1<=2", ["active-sessions", "<=3", "active-sessions<=many"]),
        .criticalLoad: ("lock-waiters<=5", ["lock-waiters<5"]),
        .throttleQuery: ("SELECT 1", []),
        .throttleFlagFile: ("/tmp/stop", []),
        .throttleHTTP: ("http://check:8080/may", []),
    ]

    /// Connection strings may hold passwords: how many there are is all that is shown.
    private static let shown = Setting.allCases.filter { $0 != .controlReplicas }

    @Test func connectionStringsAreNotShown() throws {
        var options = MigrationOptions()
        try options.set(.controlReplicas, to: "host=a password=secret;host=b")
        #expect(options.controlReplicas == ["host=a password=secret", "host=b"])
        #expect(options.value(of: .controlReplicas) == "2 listed")
        #expect(!SteeringCommand.set(.controlReplicas, "host=a password=secret").outcome.contains("secret"))
    }

    @Test(arguments: shown)
    func whatIsSetIsShownAsItWasWritten(_ setting: Setting) throws {
        let value = try #require(Self.values[setting]).good
        var options = MigrationOptions()
        try options.set(setting, to: value)
        #expect(options.value(of: setting) == value)
        #expect(MigrationOptions().value(of: setting) != value, "nothing would show that it was set")
    }

    @Test(arguments: shown)
    func whatASettingDoesNotTakeChangesNothing(_ setting: Setting) throws {
        for value in try #require(Self.values[setting]).bad {
            var options = MigrationOptions()
            #expect {
                try options.set(setting, to: value)
            } throws: { error in
                "\(error)".contains(setting.rawValue) && "\(error)".contains("'\(value)'")
            }
            #expect(options.value(of: setting) == MigrationOptions().value(of: setting))
        }
    }

    @Test(arguments: shown)
    func whatAValueIsShownAsCanBeSet(_ setting: Setting) throws {
        var options = MigrationOptions()
        let shown = options.value(of: setting)
        try options.set(setting, to: shown)
        #expect(options.value(of: setting) == shown)
    }
}
