import PgConnection

@testable import LedgerWorkload

/// Writes to a random table that change nothing in the end, whatever becomes of the table meanwhile.
final class RandomLoad: Sendable {
    private let task: Task<Int, any Error>

    init(_ table: RandomTable, _ database: TestDatabase) {
        let statements = table.loadStatements
        task = Task {
            let session = try await TestSession(database)
            var rounds = 0
            while !Task.isCancelled {
                guard !statements.isEmpty else { break }
                do {
                    try await session.execute(statements[rounds % statements.count])
                } catch let error as PgError where error.sqlState != nil && rounds > 0 {
                    // A column's type may be such, after the change, that the statement has no meaning any more.
                    break
                }
                rounds += 1
                // The machine is the other tests' as well.
                try? await Task.sleep(for: .milliseconds(5))
            }
            await session.close()
            return rounds
        }
    }

    @discardableResult
    func stop() async throws -> Int {
        task.cancel()
        return try await task.value
    }
}

extension RandomTable {
    /// Each a transaction that leaves every row as it was, and makes its key dirty.
    fileprivate var loadStatements: [String] {
        let names = live.filter { $0.generated == nil }.map(\.quoted)
        let list = names.joined(separator: ", ")
        let updatable = live.filter { $0.isUpdatable && $0.isUsed } + live.filter(\.isUpdatable)
        guard let column = updatable.first?.quoted else { return [] }
        var statements = (0..<5).map {
            "UPDATE \(sql) SET \(column) = \(column) WHERE hashtext(ctid::text) % 10 = \($0)"
        }
        if !isReferenced {
            statements.append(
                """
                WITH gone AS (DELETE FROM \(sql) WHERE ctid IN (SELECT ctid FROM \(sql) ORDER BY ctid DESC LIMIT 3) RETURNING *)
                INSERT INTO \(sql) (\(list)) OVERRIDING SYSTEM VALUE SELECT \(list) FROM gone
                """)
        }
        return statements
    }
}
