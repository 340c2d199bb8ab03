import FoundationEssentials
import ShadowAlter

/// Answers the lines of a control socket. No I/O of its own.
struct CommandInterpreter: Sendable {
    let control: any MigrationControl

    struct Reply: Sendable, Equatable {
        /// Without the last line's end.
        var text: String
        /// The process is to end once this was sent.
        var endsProcess = false
        /// Whether the line was a command at all, obeyed or not.
        var isCommand = true

        /// How every reply to a command that was not obeyed begins.
        static let failure = "ERROR: "
    }

    func reply(to line: String) async -> Reply {
        do {
            let command = try ControlCommand(line)
            return Reply(text: try await answer(command), endsProcess: command == .panic)
        } catch {
            return Reply(text: Reply.failure + "\(error)", isCommand: !(error is ControlCommand.Unknown))
        }
    }

    private func answer(_ command: ControlCommand) async throws -> String {
        switch command {
        case .help: return ControlCommand.overview
        case .status: return StatusText(status: try await control.status()).lines.joined(separator: "\n")
        case .statusJSON:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(try await control.status()), as: UTF8.self)
        case .shortStatus: return StatusText(status: try await control.status()).short
        case .coordinates:
            let coordinates = try await control.coordinates()
            return
                "slot \(coordinates.slot), spooled up to \(coordinates.confirmed ?? "nothing yet"), the server is at \(coordinates.current)"
        case .value(let setting): return "\(setting.rawValue)=\(control.value(of: setting))"
        case .steer(let command): return try await control.steer(command)
        case .panic: return "the process ends now; the same command line continues"
        }
    }
}
