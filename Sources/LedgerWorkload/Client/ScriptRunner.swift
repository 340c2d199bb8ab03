import PgConnection

/// What became of a script.
enum ScriptOutcome: Sendable {
    /// Committed, and the server said so. The keys that it chose, in order.
    case acknowledged([Key])
    /// Rolled back as planned, refused by the server, or lost before the commit: without effect in any case.
    case withoutEffect(connectionLost: Bool)
    /// The connection was lost during the commit.
    case unknown([Key])
}

/// Sends a script's statements and compares the answers with what was expected of them.
struct ScriptRunner: Sendable {
    let meter: ClientMeter

    /// Runs on the connection's thread, so that a statement's time is the server's and not that of a queue in this process.
    func run(_ script: Script, on connection: isolated PgConnection) -> ScriptOutcome {
        var newKeys: [Key] = []
        var statement = "BEGIN"
        do {
            if script.ending != .autocommit { try timed { try connection.execute("BEGIN") } }
            for step in script.steps {
                statement = step.sql
                try perform(step, of: script, on: connection, newKeys: &newKeys)
            }
        } catch {
            return afterFailure(error, of: script, statement: statement, on: connection)
        }
        switch script.ending {
        case .autocommit: return .acknowledged(newKeys)
        case .rollback: return end(script, "ROLLBACK", on: connection, newKeys)
        case .commit: return end(script, "COMMIT", on: connection, newKeys)
        }
    }

    @discardableResult
    private func timed<Value>(_ body: () throws -> Value) rethrows -> Value {
        let start = MonotonicTime.now
        defer { meter.record(from: start) }
        return try body()
    }

    private func perform(
        _ step: Step, of script: Script, on connection: isolated PgConnection, newKeys: inout [Key]
    ) throws {
        let rows: PgResult
        let affected: Int
        switch step.action {
        case .execute(let sql):
            rows = try timed { try connection.execute(sql) }
            affected = rows.affectedRows
        case .prepared(let name, let values):
            rows = try timed { try connection.queryPrepared(name, values.map { PgParameter(text: $0) }) }
            affected = rows.affectedRows
        case .copyIn(let sql, let data):
            affected = try timed { try connection.copyIn(sql, data) }
            if case .affected(let expected) = step.expectation, affected != expected {
                complain("COPY took \(affected) rows, it was given \(expected)", script, step)
            }
            return
        }
        switch step.expectation {
        case .nothing: break
        case .affected(let expected):
            guard affected != expected else { break }
            complain("the statement concerned \(affected) rows, the ledger has \(expected)", script, step)
        case .rows(let expected): compare(rows, with: expected, script, step)
        case .newKeys(let expected):
            newKeys = rows.rows.compactMap { $0.text(0).map { Key(text: $0) } }
            guard newKeys.count != expected else { break }
            // The ledger could not be kept from here on: nothing of this may be committed.
            throw PgError(code: .unexpectedResult, message: "\(newKeys.count) keys for \(expected) new rows")
        }
    }

    private func compare(_ result: PgResult, with expected: [Key: [String?]], _ script: Script, _ step: Step) {
        var missing = expected
        for row in result.rows {
            let key = Key(text: row.text(0) ?? "")
            guard let wanted = missing.removeValue(forKey: key) else {
                complain("a row with the key \(key), which there must not be", script, step)
                continue
            }
            let found = wanted.indices.map { row.text($0 + 1) }
            if found != wanted {
                complain(
                    "the row \(key) is \(LogicalRow.show(found)), the ledger has \(LogicalRow.show(wanted))", script,
                    step)
            }
        }
        for key in missing.keys.sorted() { complain("the row with the key \(key) is missing", script, step) }
    }

    private func complain(_ message: String, _ script: Script, _ step: Step) {
        meter.record(
            ApplicationError(
                kind: .wrongAnswer, message: message, client: meter.client, operation: script.effect.number,
                statement: step.sql))
    }

    private func report(_ error: PgError, _ script: Script, _ statement: String) {
        meter.record(
            ApplicationError(error, client: meter.client, operation: script.effect.number, statement: statement))
    }

    private func afterFailure(
        _ error: any Error, of script: Script, statement: String, on connection: isolated PgConnection
    ) -> ScriptOutcome {
        var error = error as? PgError ?? PgError(code: .unexpectedResult, message: "\(error)")
        guard error.isConnectionLoss else {
            report(error, script, statement)
            if script.ending != .autocommit { _ = try? connection.execute("ROLLBACK") }
            return .withoutEffect(connectionLost: false)
        }
        connection.close()
        // A statement outside of a transaction is its own commit.
        guard script.ending == .autocommit, !script.effect.changes.isEmpty || !script.effect.increments.isEmpty else {
            report(error, script, statement)
            return .withoutEffect(connectionLost: true)
        }
        error.code = .commitOutcomeUnknown
        report(error, script, statement)
        return .unknown([])
    }

    private func end(
        _ script: Script, _ statement: String, on connection: isolated PgConnection, _ newKeys: [Key]
    ) -> ScriptOutcome {
        do {
            let tag = try timed { try connection.execute(statement) }.commandTag
            if statement == "ROLLBACK" { return .withoutEffect(connectionLost: false) }
            guard tag == "COMMIT" else {
                throw PgError(code: .unexpectedResult, message: "COMMIT was answered with \(tag)")
            }
            return .acknowledged(newKeys)
        } catch {
            var error = error as? PgError ?? PgError(code: .unexpectedResult, message: "\(error)")
            guard error.isConnectionLoss else {
                report(error, script, statement)
                return .withoutEffect(connectionLost: false)
            }
            connection.close()
            if statement == "COMMIT" { error.code = .commitOutcomeUnknown }
            report(error, script, statement)
            return statement == "COMMIT" ? .unknown(newKeys) : .withoutEffect(connectionLost: true)
        }
    }
}
