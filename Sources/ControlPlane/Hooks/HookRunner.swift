import FoundationEssentials
import Logging
import ShadowAlter

/// Runs the operator's hooks at the events of a migration.
public struct HookRunner: MigrationObserver {
    private let directory: HookDirectory
    private let timeLimit: Duration
    private let log: Logger

    public init(_ directory: HookDirectory, timeLimit: Duration, log: Logger) {
        self.directory = directory
        self.timeLimit = timeLimit
        self.log = log
    }

    /// A hook does not agree to the cut-over.
    struct Veto: Error, CustomStringConvertible {
        let description: String
    }

    public func observe(_ event: MigrationEvent, in scene: EventScene) async throws {
        let files = directory.files(of: event.kind)
        guard !files.isEmpty else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let input = Array(try encoder.encode(scene.status)) + [UInt8(ascii: "\n")]
        let environment = HookEnvironment.variables(event, in: scene)
        for file in files {
            try Task.checkCancellation()
            let (ending, lastLine): (HookProcess.Ending, String?)
            switch directory.fitness(of: file) {
            case .fit:
                let process = HookProcess(path: file.path, environment: environment, input: input, timeLimit: timeLimit)
                (ending, lastLine) = await process.run { [log] in log.info("\(file.name): \($0)") }
            case .gone:
                log.notice("the hook \(file.name) is not there any more, and is not run")
                continue
            case .unfit(let reason): (ending, lastLine) = (.notStarted(reason), nil)
            }
            guard !ending.isSuccess else { continue }
            if ending == .ended {
                log.notice("the hook \(file.name): \(ending)")
                throw CancellationError()
            }
            if event.kind == .beforeCutOver {
                throw Veto(description: "\(file.name): \(Self.reason(ending, lastLine))")
            }
            log.warning("the hook \(file.name): \(ending)")
        }
    }

    private static func reason(_ ending: HookProcess.Ending, _ lastLine: String?) -> String {
        if case .exited = ending, let lastLine { return lastLine }
        return "\(ending)"
    }
}
