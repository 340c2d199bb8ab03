import ArgumentParser
import ControlPlane
import ShadowAlter
import Testing

@testable import shadow_alter

struct ArgumentTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("1s", .seconds(1)), ("2m", .seconds(120)), ("1.5h", .seconds(5400)),
        ("7d", .seconds(604_800)), ("0s", .zero), ("0.5ms", .microseconds(500)),
    ])
    func durationsTakeAUnit(text: String, expected: Duration) {
        let argument = DurationArgument(argument: text)
        #expect(argument?.duration == expected)
        #expect(argument?.description == text, "help shows what was typed")
    }

    @Test(arguments: ["", "5", "s", "-1s", "1 s", "1S", "1.2.3s", "ms", "1e3s", "5w", "99999999999d", "٣s"])
    func otherDurationsAreRefused(text: String) {
        #expect(DurationArgument(argument: text) == nil)
    }

    @Test func defaultsAreShownWithTheirUnit() {
        #expect(DurationArgument(milliseconds: 500).defaultValueDescription == "500ms")
        #expect(DurationArgument(milliseconds: 1000).defaultValueDescription == "1s")
        #expect(SizeArgument(gigabytes: 10).defaultValueDescription == "10GB")
        #expect(SizeArgument(gigabytes: 10).bytes == 10_737_418_240)
    }

    @Test(arguments: [
        ("1B", Int64(1)), ("64kB", 65_536), ("64MB", 67_108_864), ("1.5GB", 1_610_612_736), ("2TB", 2_199_023_255_552),
    ])
    func sizesTakePostgresUnits(text: String, bytes: Int64) {
        #expect(SizeArgument(argument: text)?.bytes == bytes)
    }

    @Test(arguments: ["", "1", "GB", "0B", "0.4B", "-1GB", "1KB", "1gb", "1 GB", "9999999TB"])
    func otherSizesAreRefused(text: String) {
        #expect(SizeArgument(argument: text) == nil)
    }

    @Test(arguments: [
        ["--copy-workers", "0"], ["--copy-workers", "65"], ["--nice", "-1"], ["--nice", "101"],
        ["--lock-timeout", "0s"],
        ["--cut-over-budget", "0.5ms"], ["--chunk-time", "0ms"], ["--cut-over", "later"], ["--verify", "some"],
        ["--verify", "sample=0%"],
    ])
    func knobsOutOfRangeAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try RunArguments.parse(arguments) }
    }

    @Test(arguments: [
        ["--socket-tcp", "0.0.0.0:9000"], ["--socket-tcp", "db1:9000"], ["--metrics-control"],
        ["--metrics-control", "--metrics", "0.0.0.0:9000"], ["--throttle-http", "https://check/"],
        ["--throttle-http", "http://me:s3cret@check/"],
    ])
    func whatWouldBeOpenToOthersIsRefused(arguments: [String]) {
        #expect {
            _ = try RunArguments.parse(arguments)
        } throws: { error in
            !RunArguments.message(for: error).contains("s3cret")
                && RunArguments.message(for: error).contains(arguments[0])
        }
    }

    @Test func aCheckIsAskedAlsoWhenItIsOnlySetLater() throws {
        #expect(try RunArguments.parse([]).options.throttleSources.count == 1)
        let run = try RunArguments.parse([
            "--throttle-http", "http://check:81/may", "--socket-tcp", "9000", "--metrics", "[::1]:9090",
            "--metrics-control",
        ])
        #expect(run.options.throttleHTTP?.host == "check")
        #expect(run.points.port?.isLoopback == true && run.points.isMetricsControlWanted)
    }

    @Test func knobsReachTheEngine() throws {
        let options = try RunArguments.parse([
            "--cut-over", "manual", "--lock-timeout", "250ms", "--cut-over-budget", "2s", "--copy-workers", "7",
            "--chunk-time", "100ms", "--nice", "0.5", "--max-wal-retained", "3GB", "--verify", "sample=5%",
            "--decoding-memory", "512MB",
        ]).options
        #expect(options.decodingMemory == 512 << 20)
        #expect(throws: (any Error).self) { try RunArguments.parse(["--decoding-memory", "63kB"]) }
        #expect(options.verification == .sample(0.05))
        #expect(try RunArguments.parse([]).options.verification == .full)
        #expect(options.cutOver == .manual)
        #expect(options.lockTimeout == .milliseconds(250))
        #expect(options.cutOverBudget == .seconds(2))
        #expect(options.copyWorkers == 7)
        #expect(options.chunkTime == .milliseconds(100))
        #expect(options.niceRatio == 0.5)
        #expect(options.maximumRetainedWAL == 3 << 30)
    }

    @Test(arguments: [
        [], ["--table", "t"], ["--alter", "x"], ["--table", "t", "--alter", "x", "--script", "f"],
        ["--table", "t", "--script", "f"],
        ["--table", "t", "--alter", "x", "--strategy", "quick"],
        ["--table", "t", "--alter", "x", "--reverse", "price"],
        ["--table", "t", "--alter", "x", "--compat-view", "green"],
    ])
    func aChangeIsATableWithClausesOrAScript(arguments: [String]) {
        #expect(throws: (any Error).self) { try ChangeArguments.parse(arguments) }
    }

    @Test func aChangeReachesTheEngine() throws {
        let request = try ChangeArguments.parse([
            "--table", "a.b", "--alter", "ADD c int", "--name", "n", "--strategy", "shadow",
            "--allow-publication", "everything", "--allow-publication", "Odd one",
            "--reverse", "price=price / 100", "--reverse", "a.b.x='='",
            "--compat-view", "new", "--compat-view", "old", "--compat-view", "new",
        ]).request()
        // The order says nothing, and twice is once: another run may say it in another way.
        #expect(request.compatViews == [.old, .new])
        #expect(
            request.reverse == [
                ReverseExpression(column: "price", expression: "price / 100"),
                ReverseExpression(column: "a.b.x", expression: "'='"),
            ])
        #expect(request.change == .alter(table: "a.b", clauses: "ADD c int"))
        #expect(request.name == "n")
        #expect(request.strategy == .shadow)
        #expect(request.allowedPublications == ["everything", "Odd one"])
    }

    @Test func helpSaysHowAPublicationIsLetThrough() {
        for help in [RunCommand.helpMessage(), PlanCommand.helpMessage()] {
            #expect(help.contains("--allow-publication <name>") && help.contains("FOR ALL TABLES"))
        }
    }

    @Test(arguments: [
        ["--rows", "0"], ["--rows", "100000001"], ["--clients", "0"], ["--clients", "65"], ["--rate", "0"],
    ])
    func demonstrationsHaveLimits(arguments: [String]) {
        #expect(throws: (any Error).self) { try DemoCommand.parse(arguments) }
    }
}
