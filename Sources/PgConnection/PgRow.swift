import CLibPQ

/// One row of an answer.
public struct PgRow: Sendable {
    let result: PgResult
    let index: Int32

    /// A column's text by its number from 0; nil is NULL, or that there is no such column.
    public func text(_ column: Int) -> String? {
        // libpq would report a number out of range to the connection's notice receiver, and that may be gone by now.
        guard let column = Int32(exactly: column), column >= 0, column < PQnfields(result.pointer),
            PQgetisnull(result.pointer, index, column) == 0,
            let value = PQgetvalue(result.pointer, index, column)
        else { return nil }
        return String(cString: value)
    }

    /// A column's value by name; nil is NULL. Throws `unexpectedResult` for an unknown column or an unfit value.
    public func optional<Value: PgDecodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        let column = try number(of: name)
        guard let text = text(column) else { return nil }
        return try decode(text, column: name)
    }

    /// A column's value by name. Throws `unexpectedResult` for NULL, an unknown column or an unfit value.
    public func get<Value: PgDecodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        let column = try number(of: name)
        guard let text = text(column) else { throw error("column \(name) is NULL") }
        return try decode(text, column: name)
    }

    /// The first column's value.
    public func value<Value: PgDecodable>(as type: Value.Type = Value.self) throws -> Value {
        guard let text = text(0) else { throw error("the first column is NULL") }
        return try decode(text, column: "1")
    }

    private func number(of name: String) throws -> Int {
        // PQfnumber folds unquoted names to lower case, as SQL does.
        let column = PQfnumber(result.pointer, Quoting.identifier(name))
        guard column >= 0 else { throw error("there is no column \(name) in the answer") }
        return Int(column)
    }

    private func decode<Value: PgDecodable>(_ text: String, column: String) throws -> Value {
        guard let value = Value(pgText: text) else {
            throw error("column \(column) has the value \(text), which is not of type \(Value.self)")
        }
        return value
    }

    private func error(_ message: String) -> PgError {
        PgError(code: .unexpectedResult, message: message, statement: result.statement)
    }
}
