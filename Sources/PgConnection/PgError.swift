/// What went wrong between this process and PostgreSQL.
public struct PgError: Error, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// No connection could be made.
        case connectionFailed
        /// The connection ended while it was in use. Whatever was in progress was rolled back by the server.
        case connectionLost
        /// The connection ended while COMMIT was in progress: the transaction may or may not have been committed.
        case commitOutcomeUnknown
        /// The server answered with an error of this SQLSTATE.
        case server(SQLState)
        /// The server's answer is not what the caller's statement can have.
        case unexpectedResult
    }

    public var code: Code
    public var message: String
    public var detail: String?
    public var hint: String?
    public var context: String?
    /// Where in `statement` the error is, counted in characters from 1.
    public var position: Int?
    public var schemaName: String?
    public var tableName: String?
    public var columnName: String?
    public var constraintName: String?
    /// The server said FATAL or PANIC: it has ended the session, whatever the SQLSTATE is.
    public var isFatal = false
    /// The statement that failed, where there is one.
    public var statement: String?
    /// Which one it was of several that were sent together, from 0.
    public var statementIndex: Int?

    public init(code: Code, message: String, statement: String? = nil) {
        self.code = code
        self.message = message
        self.statement = statement
    }

    public var sqlState: SQLState? {
        guard case .server(let state) = code else { return nil }
        return state
    }

    /// Whether the connection cannot be used any more.
    public var isConnectionLoss: Bool {
        switch code {
        case .connectionFailed, .connectionLost, .commitOutcomeUnknown: true
        case .server(let state):
            isFatal
                || [.adminShutdown, .crashShutdown, .cannotConnectNow, .idleInTransactionSessionTimeout].contains(state)
        case .unexpectedResult: false
        }
    }

    public var description: String {
        var text = message
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let detail { text += "\ndetail: \(detail)" }
        if let hint { text += "\nhint: \(hint)" }
        if let context { text += "\ncontext: \(context)" }
        if let pointer { text += "\n\(pointer)" }
        return text
    }

    /// The line of the statement that the error's position falls into, with a caret below the position, as psql shows it.
    public var pointer: String? {
        guard let statement, let position, position >= 1 else { return nil }
        // PostgreSQL counts code points, not grapheme clusters: a CR LF is two, and so is a letter with its accent.
        var line: [Unicode.Scalar] = []
        var column = 0
        var lineNumber = 1
        for (index, scalar) in statement.unicodeScalars.enumerated() {
            if index + 1 == position { column = line.count + 1 }
            if scalar == "\n" {
                if column > 0 { break }
                line.removeAll()
                lineNumber += 1
            } else if scalar != "\r" {
                line.append(scalar)
            }
        }
        // An error at the end of the input is one behind the last character.
        if position == statement.unicodeScalars.count + 1 { column = line.count + 1 }
        guard column > 0 else { return nil }
        let start = max(0, column - 60)
        let shown = line[start..<min(line.count, start + 110)]
        let label = "LINE \(lineNumber): "
        return label + String(String.UnicodeScalarView(shown)) + "\n"
            + String(repeating: " ", count: label.count + column - start - 1) + "^"
    }
}
