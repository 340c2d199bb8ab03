import PgConnection
import ShadowAlter
import Synchronization

/// Transactions that write to two tables, and readers that read both in one statement: nobody may see half of a transaction, nor one table
/// as it was and the other one as it is.
struct PairLoad: Sendable {
    private let seen = Seen()
    private let tasks: [Task<Void, any Error>]

    /// Both tables in one statement, in either order.
    private static let readings = [
        "(SELECT sum(balance) FROM account)::bigint - (SELECT sum(amount) FROM entry)::bigint",
        "(SELECT sum(amount) FROM entry)::bigint - (SELECT sum(balance) FROM account)::bigint",
        """
        SELECT count(*) FROM (SELECT account_id, sum(amount) AS total FROM entry GROUP BY account_id) e
        FULL JOIN account a ON a.id = e.account_id WHERE a.balance <> coalesce(e.total, 0)
        """,
    ].map { reading in
        """
        SELECT (\(reading)) || ' ' || (SELECT pg_typeof(id)::text FROM account LIMIT 1) || ' '
            || (SELECT pg_typeof(account_id)::text FROM entry LIMIT 1)
        """
    }

    /// Whoever locks two tables meets those who lock them in the other order. As many rows go as come: with a table that grew without end the
    /// readers would become slower and slower, and leave the processor to nobody else.
    private static func writings(_ number: Int) -> [String] {
        [
            "SELECT book(\(number % Shop.accounts + 1), 3)",
            """
            BEGIN; UPDATE account SET balance = balance - 2 WHERE id = \(number % 97 * 20 + 1);
            INSERT INTO entry (account_id, amount) VALUES (\(number % 97 * 20 + 1), -2); COMMIT
            """,
            """
            WITH gone AS (
                DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY id LIMIT 2) RETURNING account_id, amount)
            UPDATE account a SET balance = balance - g.amount
            FROM (SELECT account_id, sum(amount) AS amount FROM gone GROUP BY account_id) g WHERE a.id = g.account_id
            """,
        ]
    }

    static func start(_ database: TestDatabase) async throws -> PairLoad {
        var readers: [TestSession] = []
        var writers: [TestSession] = []
        for _ in readings { readers.append(try await TestSession(database, "pair reader")) }
        for _ in 0..<2 { writers.append(try await TestSession(database, "pair writer")) }
        return PairLoad(readers: readers, writers: writers)
    }

    private init(readers: [TestSession], writers: [TestSession]) {
        let seen = self.seen
        tasks =
            zip(readers, Self.readings).map { session, reading in
                Task { try await Self.read(reading, session, seen) }
            }
            + writers.enumerated().map { number, session in
                Task { try await Self.write(number, session, seen) }
            }
    }

    /// In the three ways in which drivers send a statement.
    private static func read(_ reading: String, _ session: TestSession, _ seen: Seen) async throws {
        try await session.execute("PREPARE reading AS \(reading)")
        while !Task.isCancelled {
            for way in 0..<3 {
                let state: String = try await session.connection.run { connection in
                    switch way {
                    case 0: try connection.execute(reading).single().value()
                    case 1: try connection.query(reading).single().value()
                    default: try connection.queryPrepared("reading").single().value()
                    }
                }
                seen.note(state)
            }
            // The machine is the other tests' as well.
            try? await Task.sleep(for: .milliseconds(50))
        }
        await session.close()
    }

    private static func write(_ writer: Int, _ session: TestSession, _ seen: Seen) async throws {
        var number = writer
        while !Task.isCancelled {
            let choices = writings(number * 31)
            try await session.execute(choices[number / 2 % choices.count])
            seen.noteWrite()
            number += 2
            try? await Task.sleep(for: .milliseconds(5))
        }
        await session.close()
    }

    /// How often each state was seen: the difference between the tables, and their columns' types.
    var states: [String: Int] { seen.states }
    var writes: Int { seen.writes }

    /// Throws the first error that anybody has had.
    func stop() async throws {
        for task in tasks { task.cancel() }
        for task in tasks { try await task.value }
    }

    private final class Seen: Sendable {
        private let state = Mutex((states: [String: Int](), writes: 0))

        func note(_ seen: String) { state.withLock { $0.states[seen, default: 0] += 1 } }
        func noteWrite() { state.withLock { $0.writes += 1 } }
        var states: [String: Int] { state.withLock { $0.states } }
        var writes: Int { state.withLock { $0.writes } }
    }
}
