import CLibPQ

extension ConnectionHandle {
    /// Runs several statements in one message. Throws as `PgConnection.execute` does.
    func execute(_ statements: [String]) throws -> PgResult {
        let batch = StatementBatch(statements)
        let pointer = try open(for: batch.text)
        var completed = 0
        let result = cancellation.during {
            drain()
            return PQsendQuery(pointer, batch.text) == 1 ? decisiveResult { completed += 1 } : nil
        }
        do {
            let answer = try check(result, statement: batch.text)
            try refuse(answer, statement: batch.text)
            return answer
        } catch let error as PgError {
            throw batch.attribute(error, completed: completed)
        }
    }
}

/// Statements that are sent together, and which of them an error is about. Pure.
struct StatementBatch: Sendable {
    private let statements: [String]

    init(_ statements: [String]) {
        self.statements = statements
    }

    private static let separator = ";\n"

    var text: String { statements.joined(separator: Self.separator) }

    /// The same error, about the one statement that failed: the one into which its position falls, or else the one after those that were
    /// completed. The server answers to each statement, until one fails.
    func attribute(_ error: PgError, completed: Int) -> PgError {
        guard error.sqlState != nil else { return error }
        var error = error
        if let position = error.position {
            guard let (index, offset) = place(of: position) else { return error }
            error.statementIndex = index
            error.position = offset
        } else {
            guard statements.indices.contains(completed) else { return error }
            error.statementIndex = completed
        }
        error.statement = error.statementIndex.map { statements[$0] }
        return error
    }

    /// Positions count Unicode scalars, from 1.
    private func place(of position: Int) -> (index: Int, offset: Int)? {
        var rest = position
        for (index, statement) in statements.enumerated() {
            let length = statement.unicodeScalars.count
            if rest <= length + 1 { return (index, rest) }
            rest -= length + Self.separator.unicodeScalars.count
        }
        return nil
    }
}
