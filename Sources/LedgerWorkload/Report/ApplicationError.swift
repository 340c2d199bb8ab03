import PgConnection

/// Something that an application would have seen go wrong.
public struct ApplicationError: Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The server refused a statement.
        case sql(SQLState)
        case connectionFailed
        /// The connection ended outside of a commit: the transaction was rolled back.
        case connectionLost
        /// The connection ended during a commit.
        case commitOutcomeUnknown
        /// The server's answer contradicts what was acknowledged before: rows missing, changed or back again.
        case wrongAnswer
    }

    public let kind: Kind
    public let message: String
    /// From 0.
    public let client: Int
    /// The client's operations are numbered from 1; 0 is outside of all.
    public let operation: Int
    /// The statement, shortened to 300 characters.
    public let statement: String
    public let time: MonotonicTime

    init(
        kind: Kind, message: String, client: Int, operation: Int, statement: String, time: MonotonicTime = .now
    ) {
        self.kind = kind
        self.message = message
        self.client = client
        self.operation = operation
        self.statement = statement.count > 300 ? statement.prefix(300) + "…" : statement
        self.time = time
    }

    init(_ error: PgError, client: Int, operation: Int, statement: String) {
        let kind: Kind =
            switch error.code {
            case .connectionFailed: .connectionFailed
            case .connectionLost: .connectionLost
            case .commitOutcomeUnknown: .commitOutcomeUnknown
            case .server(let state): .sql(state)
            case .unexpectedResult: .wrongAnswer
            }
        var message = error.message
        if let detail = error.detail { message += " (\(detail))" }
        self.init(kind: kind, message: message, client: client, operation: operation, statement: statement)
    }

    public var description: String {
        let label =
            switch kind {
            case .sql(let state): "SQLSTATE \(state)"
            case .connectionFailed: "no connection"
            case .connectionLost: "connection lost, transaction rolled back"
            case .commitOutcomeUnknown: "connection lost during commit"
            case .wrongAnswer: "wrong answer"
            }
        return "client \(client), operation \(operation): \(label): \(message)\n  in: \(statement)"
    }
}
