import CLibPQ

extension ConnectionHandle {
    /// Runs one or several statements without parameters. Throws as `PgConnection.execute` does.
    @discardableResult
    package func execute(_ sql: String) throws -> PgResult {
        try finished(start(sql), statement: sql)
    }

    func query(_ sql: String, _ parameters: [PgParameter]) throws -> PgResult {
        try send(sql, parameters) { pointer, values in
            PQsendQueryParams(pointer, sql, Int32(parameters.count), nil, values, nil, nil, 0)
        }
    }

    func queryPrepared(
        _ name: String, _ parameters: [PgParameter], statement: String? = nil
    ) throws -> PgResult {
        try send(statement ?? name, parameters) { pointer, values in
            PQsendQueryPrepared(pointer, name, Int32(parameters.count), values, nil, nil, 0)
        }
    }

    /// Parses a statement and keeps it in the session under this name, whatever becomes of the transaction.
    func prepare(_ name: String, _ sql: String) throws {
        _ = try send(sql, []) { pointer, _ in PQsendPrepare(pointer, name, sql, 0, nil) }
    }

    private func send(
        _ statement: String, _ parameters: [PgParameter],
        by sender: (OpaquePointer, UnsafePointer<UnsafePointer<CChar>?>?) -> CInt
    ) throws -> PgResult {
        let pointer = try open(for: statement)
        for (index, parameter) in parameters.enumerated() where parameter.text?.hasNUL == true {
            throw PgError(
                code: .unexpectedResult,
                message: "parameter $\(index + 1) holds a NUL character, which no PostgreSQL text can have; "
                    + "the statement was not sent", statement: statement)
        }
        let result = withOptionalCStrings(parameters.map(\.text)) { values in
            cancellation.during {
                drain()
                return sender(pointer, values) == 1 ? decisiveResult() : nil
            }
        }
        return try finished(check(result, statement: statement), statement: statement)
    }

    /// Runs a statement that may open a COPY (COPY_IN, COPY_BOTH), which is then the caller's to carry on.
    package func start(_ sql: String) throws -> PgResult {
        let pointer = try open(for: sql)
        let result = cancellation.during {
            drain()
            return PQsendQuery(pointer, sql) == 1 ? decisiveResult() : nil
        }
        return try check(result, statement: sql)
    }

    /// The first error, or else the last result. libpq's PQexec returns the last one in any case, and that would be
    /// "server closed the connection unexpectedly" instead of the server's own reason in front of it.
    ///
    /// - Parameter completed: called for each statement that did not fail.
    func decisiveResult(_ completed: () -> Void = {}) -> OpaquePointer? {
        var decisive: OpaquePointer?
        while let result = PQgetResult(pointer) {
            if decisive.map({ PQresultStatus($0) }) == PGRES_FATAL_ERROR {
                PQclear(result)
                continue
            }
            if PQresultStatus(result) != PGRES_FATAL_ERROR { completed() }
            PQclear(decisive)
            decisive = result
            // Nothing follows before the COPY is over.
            if [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(PQresultStatus(result)) { break }
        }
        return decisive
    }

    func apply(_ settings: [String: String]) throws {
        guard !settings.isEmpty else { return }
        let calls = settings.sorted { $0.key < $1.key }.map {
            "pg_catalog.set_config(\(Quoting.literal($0.key)), \(Quoting.literal($0.value)), false)"
        }
        try execute("SELECT " + calls.joined(separator: ", "))
    }

    /// Sets what the connection string says nothing about (its `options`, or `PGOPTIONS`). What a role or a database has as its defaults
    /// does not count.
    func applyUnlessGiven(_ settings: [String: String]) throws {
        guard !settings.isEmpty else { return }
        do {
            try setUnlessGiven(settings)
        } catch let error as PgError where error.sqlState?.classCode == "22" {
            // One that the server's system cannot have, such as client_connection_check_interval on Windows: the others, then.
            for setting in settings {
                do {
                    try setUnlessGiven([setting.key: setting.value])
                } catch let error as PgError where error.sqlState?.classCode == "22" {
                    continue
                }
            }
        }
    }

    private func setUnlessGiven(_ settings: [String: String]) throws {
        let rows = settings.sorted { $0.key < $1.key }.map {
            "(\(Quoting.literal($0.key)), \(Quoting.literal($0.value)))"
        }
        // A setting that the server's version does not have is in no row of pg_settings.
        try execute(
            """
            SELECT pg_catalog.set_config(s.name, w.value, false) FROM (VALUES \(rows.joined(separator: ", "))) w (name, value)
            JOIN pg_catalog.pg_settings s ON s.name = w.name WHERE s.source <> 'client'
            """)
    }

    func open(for statement: String) throws -> OpaquePointer {
        guard let pointer else {
            throw PgError(
                code: .connectionLost, message: "the connection is closed; the statement was not sent",
                statement: statement)
        }
        guard !statement.hasNUL else {
            throw PgError(
                code: .unexpectedResult, message: "the statement holds a NUL character and was not sent",
                statement: statement)
        }
        return pointer
    }

    private func finished(_ result: PgResult, statement: String) throws -> PgResult {
        try refuse(result, statement: statement)
        return result
    }

    /// Ends a COPY that nobody is going to feed or read, and throws `unexpectedResult`; other results pass.
    func refuse(_ result: PgResult, statement: String) throws {
        switch PQresultStatus(result.pointer) {
        case PGRES_COPY_IN, PGRES_COPY_BOTH:
            PQputCopyEnd(pointer, "this statement was not expected to take COPY data")
            drain()
        case PGRES_COPY_OUT:
            var buffer: UnsafeMutablePointer<CChar>?
            while PQgetCopyData(pointer, &buffer, 0) > 0 { PQfreemem(buffer) }
            drain()
        default:
            return
        }
        throw PgError(
            code: .unexpectedResult, message: "the statement is a COPY from or to the client, and was ended",
            statement: statement)
    }

    /// Drops the results that are still to come. Afterwards libpq's transaction status is that of the server.
    func drain() {
        while let rest = PQgetResult(pointer) {
            let status = PQresultStatus(rest)
            PQclear(rest)
            // Still in COPY because its end could not be sent: libpq would say so for ever.
            if [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(status) { return }
        }
    }
}
