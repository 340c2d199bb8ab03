import CLibPQ

extension ConnectionHandle {
    /// Takes over libpq's result, or throws what it says.
    package func check(_ result: OpaquePointer?, statement: String?) throws -> PgResult {
        guard let result else { throw lost(statement) }
        let owned = PgResult(owning: result, statement: statement ?? "")
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH, PGRES_EMPTY_QUERY:
            return owned
        default:
            throw error(result, statement: statement)
        }
    }

    /// The error that libpq has for the connection as a whole.
    package func lost(_ statement: String?) -> PgError {
        let message = pointer.map { String(cString: PQerrorMessage($0)).trimmingNewlines() } ?? ""
        return PgError(
            code: .connectionLost,
            message: severed ?? (message.isEmpty ? "the connection to the server is lost" : message),
            statement: statement)
    }

    /// What to say instead of libpq's words, which blame the server.
    private var severed: String? {
        cancellation.hasBeenSevered
            ? "the connection was given up, because no answer came through it any more"
            : nil
    }

    private func error(_ result: OpaquePointer, statement: String?) -> PgError {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        // libpq makes results of its own when the connection breaks; they have no SQLSTATE.
        guard let state = field("C") else {
            var error = lost(statement)
            if PQstatus(pointer) != CONNECTION_BAD { error.code = .unexpectedResult }
            let message = String(cString: PQresultErrorMessage(result)).trimmingNewlines()
            if severed == nil, !message.isEmpty { error.message = message }
            return error
        }
        var error = PgError(
            code: .server(SQLState(rawValue: state)), message: field("M") ?? "unknown error", statement: statement)
        // PG_DIAG_SEVERITY_NONLOCALIZED: after FATAL or PANIC the server closes the connection, whatever the code.
        error.isFatal = ["FATAL", "PANIC"].contains(field("V") ?? "") || PQstatus(pointer) == CONNECTION_BAD
        error.detail = field("D")
        error.hint = field("H")
        error.context = field("W")
        error.position = field("P").flatMap { Int($0) }
        error.schemaName = field("s")
        error.tableName = field("t")
        error.columnName = field("c")
        error.constraintName = field("n")
        return error
    }
}
