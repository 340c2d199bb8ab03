import ShadowAlter
import Testing

@testable import ControlPlane

@Suite struct ControlCommandTests {
    @Test(arguments: [
        ("help", ControlCommand.help), ("?", .help), ("status", .status), ("info", .status), ("  Status\r", .status),
        ("status json", .statusJSON), ("status   json", .statusJSON), ("sup", .shortStatus),
        ("coordinates", .coordinates),
        ("pause", .steer(.pause)), ("throttle", .steer(.throttle(expiry: nil))),
        ("throttle expire=2h", .steer(.throttle(expiry: .seconds(7200)))),
        ("resume", .steer(.resume)), ("no-throttle", .steer(.resume)), ("unthrottle", .steer(.resume)),
        ("cut-over", .steer(.cutOver)), ("unpostpone", .steer(.cutOver)), ("postpone", .steer(.postpone)),
        ("abort", .steer(.abort)), ("panic", .panic), ("verify", .steer(.verify)),
        ("chunk-size=100", .steer(.set(.chunkSize, "100"))), ("set chunk-size=100", .steer(.set(.chunkSize, "100"))),
        ("set  nice-ratio = 0.5 ", .steer(.set(.niceRatio, "0.5"))), ("chunk-time=?", .value(.chunkTime)),
        ("set chunk-time=?", .value(.chunkTime)),
    ])
    func isUnderstood(_ line: String, command: ControlCommand) throws {
        #expect(try ControlCommand(line) == command)
    }

    @Test(arguments: [
        "", " ", "statusx", "status xml", "pause now", "throttle expire=", "throttle expire=2", "throttle 2h", "set",
        "set chunk-size",
        "chunk-size", "nothing=1", "=1", "abort; pause", "panic!",
    ])
    func isNotUnderstood(_ line: String) {
        #expect(throws: ControlCommand.Unknown.self) { try ControlCommand(line) }
    }

    /// A terminal that shows the answer must not be steered by it.
    @Test func whatIsNotUnderstoodIsShownHarmlessly() {
        let line = "\u{1B}[2J\u{07}ü" + String(repeating: "x", count: 5000)
        #expect {
            try ControlCommand(line)
        } throws: { error in
            let text = "\(error)"
            return text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value < 127 } && text.count < 200
        }
    }

    @Test(arguments: [
        SteeringCommand.pause, .throttle(expiry: nil), .throttle(expiry: .seconds(90)), .resume, .cutOver, .postpone,
        .abort, .verify,
        .set(.lockTimeout, "250ms"),
    ])
    func aCommandsLineAsksForIt(_ command: SteeringCommand) throws {
        #expect(try ControlCommand(command.line) == .steer(command))
    }

    @Test func helpNamesEverySetting() {
        for setting in Setting.allCases { #expect(ControlCommand.overview.contains("\n  \(setting.rawValue) ")) }
    }
}
