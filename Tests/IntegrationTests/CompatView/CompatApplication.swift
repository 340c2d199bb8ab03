import PgConnection
import ShadowAlter
import Synchronization

/// An application that does the same again and again, and remembers what it was answered.
final class CompatApplication: Sendable {
    private let task: Task<Void, Never>
    private let diary: Diary

    struct State: Sendable {
        var rounds = 0
        var errors: [String] = []
        var isStopped = false
    }

    private final class Diary: Sendable {
        let state = Mutex(State())
    }

    /// - Parameters:
    ///   - path: its `search_path`; all that it is ever told of the migration.
    ///   - round: the statements of one round, by its number.
    init(_ database: TestDatabase, _ name: String, path: String, round: @escaping @Sendable (Int) -> String)
        async throws
    {
        let session = try await TestSession(database, name)
        try await session.execute("SET search_path = \(path)")
        let diary = Diary()
        self.diary = diary
        task = Task {
            while !diary.state.withLock({ $0.isStopped }) {
                do {
                    try await session.execute(round(diary.state.withLock { $0.rounds } + 1))
                    diary.state.withLock { $0.rounds += 1 }
                } catch {
                    diary.state.withLock { state in
                        state.errors.append("\(error)")
                        state.isStopped = true
                    }
                }
            }
            await session.close()
        }
    }

    var rounds: Int { diary.state.withLock { $0.rounds } }

    /// So many rounds more.
    func goesOn(_ rounds: Int = 20) async throws {
        let start = self.rounds
        try await eventually("the application goes on") {
            let state = diary.state.withLock { $0 }
            return state.rounds >= start + rounds || !state.errors.isEmpty
        }
    }

    /// How many rounds were answered, and the errors.
    func end() async -> State {
        diary.state.withLock { $0.isStopped = true }
        await task.value
        return diary.state.withLock { $0 }
    }
}
