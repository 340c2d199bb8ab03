import PgConnection
import TestSupport
import Testing
import ThrowawayServer

/// Several statements in one message, and statements that a session keeps.
@Suite struct BatchTests {
    struct Failure: Sendable {
        let statements: [String]
        let index: Int
        var position: Int?
    }

    /// A failure names the statement that it is about, whether PostgreSQL tells a position or not, and nothing remains.
    @Test(
        arguments: try await TestServers.all(),
        [
            // When it is executed, without a position.
            Failure(statements: ["CREATE TABLE batch_é (a int)", "DROP TABLE batch_nowhere", "SELECT 1"], index: 1),
            Failure(statements: ["SELECT 1", "SELECT 1/0", "SELECT nope"], index: 1),
            // When it is analysed, with a position in characters.
            Failure(
                statements: ["SELECT 'é'", "SELECT 'é' AS \"é\"", "SELECT nope FROM pg_am"], index: 2, position: 8),
            // Nothing at all is executed when one cannot be parsed.
            Failure(statements: ["CREATE TABLE batch_é (a int)", "SELEC 2"], index: 1, position: 1),
        ])
    func aFailureNamesItsStatement(_ version: ServerBinaries, _ failure: Failure) async throws {
        let connection = try await connect(version)
        let error = try #require(await pgError { try await connection.execute(failure.statements) })
        #expect(error.statementIndex == failure.index)
        #expect(error.statement == failure.statements[failure.index])
        #expect(error.position == failure.position)
        let isGone: Bool = try await connection.execute("SELECT to_regclass('batch_é') IS NULL").single().value()
        #expect(isGone)
        // The session goes on.
        let last: Int = try await connection.execute(["SELECT 1", "SELECT 2"]).single().value()
        #expect(last == 2)
    }

    @Test(arguments: try await TestServers.all())
    func whatComesAgainIsPreparedOnce(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        let prepared = "SELECT count(*)::int FROM pg_prepared_statements"
        let answers: [Int] = try await connection.run { connection in
            try connection.remembering { connection in
                var answers: [Int] = []
                for number in 1...5 {
                    try connection.query("SELECT \(number)")
                    answers.append(try connection.query("SELECT $1::int + 1", [.int(number)]).single().value())
                    answers.append(try connection.query("SELECT $1::int - 1", [.int(number)]).single().value())
                }
                return answers
            }
        }
        #expect(answers == [2, 0, 3, 1, 4, 2, 5, 3, 6, 4])
        // Outside nothing is kept.
        for _ in 1...3 { try await connection.query("SELECT 'outside'") }
        let count: Int = try await connection.execute(prepared).single().value()
        #expect(count == 2)
        // A failure tells the statement, and not the name that it has been given.
        let failing = "SELECT 1 / $1::int"
        for _ in 1...3 {
            let error = await pgError {
                try await connection.run { connection in
                    _ = try connection.remembering { try $0.query(failing, [.int(0)]) }
                }
            }
            #expect(error?.statement == failing)
        }
    }
}
