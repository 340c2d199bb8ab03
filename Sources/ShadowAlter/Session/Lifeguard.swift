import Logging
import PgConnection
import Synchronization

/// Gives up connections through which no answer comes any more, so that a run whose network stands still ends instead of waiting for ever.
///
/// How long a statement may take nobody knows but the server, and the kernel notices a lost peer only where nothing in between answers in its place.
/// So whoever has been waiting for long is looked for on the server, over a new connection: where the session there is idle, or gone, the
/// answer was lost on its way. Where the server cannot be asked either, there is nothing left to wait for.
struct Lifeguard: Sendable {
    let connections: ConnectionOptions
    let registry: ConnectionRegistry
    /// How long an answer may be on its way, and how long the server may be out of reach.
    let patience: Duration
    let log: Logger

    /// Between two looks at our own statements, which cost nothing.
    private var interval: Duration { max(.milliseconds(20), min(patience / 6, .seconds(5))) }

    /// Runs `body`, and looks after the connections meanwhile.
    func during<Value: Sendable>(_ body: () async throws -> Value) async rethrows -> Value {
        let watch = Task { await run() }
        defer { watch.cancel() }
        return try await body()
    }

    private func run() async {
        var observer: PgConnection?
        var stranded = Stranded(patience: patience)
        while (try? await Task.sleep(for: interval)) != nil {
            let now = ContinuousClock.now
            let waiting = registry.waiting(sinceBefore: now - patience)
            guard !waiting.isEmpty else {
                stranded.end()
                await observer?.close()
                observer = nil
                continue
            }
            let answer = await ask(waiting.map(\.pid), through: observer)
            observer = answer?.observer
            for lost in stranded.lost(waiting, answer?.sessions, at: now) where lost.giveUp() {
                log.error(
                    "no answer has come from the server session \(lost.pid) for \(DurationText(.seconds((now - lost.since).seconds.rounded()))), \(answer == nil ? "and the server cannot be reached" : "though it has nothing to do"): that connection is given up"
                )
            }
        }
        await observer?.close()
    }

    private struct Answer: Sendable {
        let observer: PgConnection
        let sessions: [Int32: Stranded.Session]
    }

    /// What the server's sessions are doing; nil when the server does not say so in time. Whatever is still waited for then is left to itself: it
    /// ends with its connection.
    private func ask(_ pids: [Int32], through observer: PgConnection?) async -> Answer? {
        let box = Letterbox<Result<Answer, any Error>>()
        let own = ConnectionRegistry()
        let question = Task { [connections] in
            do {
                var options = connections
                options.registry = own
                let connection: PgConnection
                if let observer {
                    connection = observer
                } else {
                    connection = try await PgConnection.connect(options, for: .control)
                }
                box.set(.success(Answer(observer: connection, sessions: try await Self.sessions(pids, on: connection))))
            } catch {
                box.set(.failure(error))
            }
        }
        let deadline = ContinuousClock.now + patience
        while box.value == nil, ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: min(interval, .milliseconds(50)))) != nil else { break }
        }
        guard case .success(let answer)? = box.value else {
            question.cancel()
            for lost in own.waiting(sinceBefore: .now) { lost.giveUp() }
            return nil
        }
        return answer
    }

    private static func sessions(_ pids: [Int32], on connection: PgConnection) async throws -> [Int32: Stranded.Session]
    {
        try await connection.run { connection in
            let rows = try connection.query(
                """
                SELECT a.pid, coalesce(state LIKE 'idle%', false) AS idle, coalesce(wait_event_type = 'Client', false) AS client,
                    extract(epoch FROM clock_timestamp() - state_change)::float8 AS seconds
                FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY ($1::int[])
                """, [.array(pids.map(String.init))]
            ).rows
            var sessions: [Int32: Stranded.Session] = [:]
            for row in rows {
                sessions[try row.get("pid")] = Stranded.Session(
                    isIdle: try row.get("idle"), waitsForClient: try row.get("client"),
                    since: .seconds(try row.optional("seconds") ?? 0.0))
            }
            return sessions
        }
    }
}

/// Which of the statements that are waited for will never be answered. Pure.
struct Stranded: Sendable {
    /// A session as the server sees it.
    struct Session: Sendable, Equatable {
        /// It has answered everything that it was asked.
        var isIdle: Bool
        /// It waits for us to read its answer, or to send the rest of a COPY.
        var waitsForClient: Bool
        /// How long it has been in this state.
        var since: Duration
    }

    let patience: Duration
    private var unreachableSince: ContinuousClock.Instant?
    /// Statements whose sessions were seen waiting for us, and since when.
    private var suspected: [UInt64: ContinuousClock.Instant] = [:]

    init(patience: Duration) { self.patience = patience }

    /// Nobody waits for long.
    mutating func end() { self = Stranded(patience: patience) }

    /// - Parameter sessions: nil when the server could not be asked.
    mutating func lost(
        _ waiting: [ConnectionRegistry.Waiting], _ sessions: [Int32: Session]?, at now: ContinuousClock.Instant
    ) -> [ConnectionRegistry.Waiting] {
        guard let sessions else {
            let since = unreachableSince ?? now
            unreachableSince = since
            return now - since >= patience ? waiting : []
        }
        unreachableSince = nil
        return waiting.filter { isLost(key: key($0), sessions[$0.pid], at: now) }
    }

    private func key(_ waiting: ConnectionRegistry.Waiting) -> UInt64 {
        UInt64(UInt32(bitPattern: waiting.pid)) << 32 | waiting.statement & 0xFFFF_FFFF
    }

    mutating func isLost(key: UInt64, _ session: Session?, at now: ContinuousClock.Instant) -> Bool {
        guard let session else { return true }
        if session.isIdle { return session.since >= patience / 2 }
        guard session.waitsForClient else {
            suspected[key] = nil
            return false
        }
        let since = suspected[key] ?? now
        suspected[key] = since
        return now - since >= patience
    }
}

/// What another task leaves here.
private final class Letterbox<Value: Sendable>: Sendable {
    private let box = Mutex<Value?>(nil)
    var value: Value? { box.withLock { $0 } }
    func set(_ new: Value) { box.withLock { $0 = new } }
}
