import ShadowAlter
import Synchronization

/// A run that only notes what it is asked.
final class Notebook: MigrationControl {
    let commands = Mutex<[SteeringCommand]>([])
    private let shown: MigrationStatus?

    init(status: MigrationStatus? = nil) { shown = status }

    func status() async throws -> MigrationStatus {
        guard let shown else { throw MigrationControlError("no status here") }
        return shown
    }

    func steer(_ command: SteeringCommand) async throws -> String {
        commands.withLock { $0.append(command) }
        return command.outcome
    }

    func value(of setting: Setting) -> String { MigrationOptions().value(of: setting) }

    func coordinates() async throws -> StreamCoordinates {
        StreamCoordinates(slot: "s", confirmed: nil, current: "0/1")
    }
}
