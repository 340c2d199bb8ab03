import PgConnection

/// An application that writes to the kitchen sink's table all the time, and puts everything back in the end.
final class SinkLoad: Sendable {
    private let task: Task<Int, any Error>

    init(_ database: TestDatabase) {
        task = Task {
            let session = try await TestSession(database)
            var rounds = 0
            while !Task.isCancelled {
                rounds += 1
                for statement in Self.statements(rounds) { try await session.execute(statement) }
                // The machine is the other tests' as well.
                try? await Task.sleep(for: .milliseconds(10))
            }
            try await session.execute("UPDATE shop.orders SET notes = 'note ' || id WHERE notes LIKE 'busy%'")
            await session.close()
            return rounds
        }
    }

    /// Only what is in the table in any of the changes. Every row has its old values again after `stop`.
    private static func statements(_ round: Int) -> [String] {
        // The rows with a multiple of 40 have long notes, and keep them.
        let id = 8 + round * 7 % 31
        return [
            "UPDATE shop.orders SET notes = 'busy \(round)' WHERE id = \(id)",
            """
            INSERT INTO shop.orders (id, "Customer", amount, serial_no, ticket, code, customer_id, country, region)
            VALUES (\(1_500_000 + round), 'customer 3', 7, \(1_000_000 + round), 1, 'new \(round)', 3, 'at', 1)
            """,
            "UPDATE shop.orders SET doc = doc, amount = amount WHERE id % 40 = \(round % 40) AND amount > 1",
            "UPDATE shop.orders SET id = id + 100000 WHERE id = \(1_500_000 + round)",
            "DELETE FROM shop.orders WHERE id IN (\(1_500_000 + round), \(1_600_000 + round))",
        ]
    }

    /// Returns how often it went round. Throws the error of a statement that has failed.
    @discardableResult
    func stop() async throws -> Int {
        task.cancel()
        return try await task.value
    }
}
