import Synchronization

/// The options of a run as they are now. Whoever needs one reads it each time.
final class LiveSettings: Sendable {
    private let options: Mutex<MigrationOptions>

    init(_ options: MigrationOptions) { self.options = Mutex(options) }

    var current: MigrationOptions { options.withLock { $0 } }

    func set(_ setting: Setting, to value: String) throws(SettingError) {
        // What the closure throws must not be widened by the lock.
        let result: Result<Void, SettingError> = options.withLock { options in
            do throws(SettingError) {
                return .success(try options.set(setting, to: value))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
