import PgConnection

/// Rows of the live table that the old definition does not take: their keys are set aside, with the reason, until the row changes.
///
/// Everything else goes on; there is no rollback as long as one key is parked.
struct Parking: Sendable {
    let table: TableRecord
    private let parked: RefreshBatch

    init(_ table: TableRecord) {
        self.table = table
        parked = RefreshBatch(parkedOf: table)
    }

    /// Few, so that the transaction is short also where every row has to be taken by itself.
    private static let batchSize = 2000
    private static let retried = 200

    /// Settles spooled keys after `after`; those that fail are parked, which settles them, too. A batch that fails is taken by halves, so that one
    /// row of many is found soon.
    ///
    /// In the caller's transaction, as everything here.
    func take(
        _ refresh: RefreshBatch, after: Int64, on connection: isolated PgConnection
    ) throws -> RefreshBatch.Result {
        try parking(on: connection) { connection in
            let entries = try entries(of: refresh.sql.spool, after: after, limit: Self.batchSize, on: connection)
            return try halves(refresh, entries[...], on: connection)
        }
    }

    /// The same with these entries of the spool, whose rows stand in the way of each other, or of others.
    func take(
        _ refresh: RefreshBatch, entries: Set<Int64>, on connection: isolated PgConnection
    ) throws -> RefreshBatch.Result {
        try parking(on: connection) { connection in
            var taken = Taken()
            for entry in entries.sorted() { taken.add(try halves(refresh, [entry], on: connection)) }
            return taken
        }
    }

    private struct Taken {
        var result = RefreshBatch.Result()
        /// A key was parked whose row another one stands in the way of.
        var conflicts = false

        mutating func add(_ other: Self) {
            result.through = other.result.through ?? result.through
            result.examined += other.result.examined
            result.settled += other.result.settled
            result.rows += other.result.rows
            conflicts = conflicts || other.conflicts
        }
    }

    private func parking(
        on connection: isolated PgConnection, _ take: (isolated PgConnection) throws -> Taken
    ) throws -> RefreshBatch.Result {
        try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        let taken = try take(connection)
        // Two that exchange a value are in each other's way, and in nobody else's.
        if taken.conflicts { try settleConflicts(on: connection) }
        return taken.result
    }

    /// - Parameter entries: consecutive ones of the spool.
    private func halves(
        _ refresh: RefreshBatch, _ entries: ArraySlice<Int64>, on connection: isolated PgConnection
    ) throws -> Taken {
        guard let first = entries.first, let last = entries.last else { return Taken() }
        do {
            var result = try attempt(on: connection) { connection in
                try refresh.run(after: first - 1, limit: entries.count, mode: .replacing, on: connection)
            }
            result.through = last
            return Taken(result: result)
        } catch let error as PgError where error.isAboutData {
            guard entries.count == 1 else {
                let middle = entries.startIndex + entries.count / 2
                var taken = try halves(refresh, entries[..<middle], on: connection)
                taken.add(try halves(refresh, entries[middle...], on: connection))
                return taken
            }
            return try park(refresh, first, error, on: connection)
        }
    }

    private func park(
        _ refresh: RefreshBatch, _ entry: Int64, _ error: PgError, on connection: isolated PgConnection
    ) throws -> Taken {
        var taken = Taken()
        let window = SpoolWindow(after: entry - 1, through: entry)
        // The stream tells of a key as often as its row changes.
        try connection.execute(ParkedSQL.release(table.plan, named: refresh.sql.spool, window, from: table.parked))
        if try connection.execute(refresh.sql.isThere(window)).single().value() {
            try connection.query(
                ParkedSQL.park(table.plan, from: refresh.sql.spool, window, to: table.parked),
                [connection.note(Self.reason(error)), .bool(error.isRowConflict)])
            try Failpoint.parking.pass()
            taken.conflicts = error.isRowConflict
        }
        // A row that is gone, with a key that the old table cannot have had, leaves nothing to be done.
        taken.result.examined = 1
        taken.result.through = entry
        taken.result.settled = try connection.execute(SpoolSQL.delete(refresh.sql.spool, window)).affectedRows
        return taken
    }

    /// Looks at some of the parked keys again. Those that fail again come last next time.
    func retry(on connection: isolated PgConnection) throws {
        guard try !entries(of: table.parked, after: 0, limit: 1, on: connection).isEmpty else { return }
        try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        try settleConflicts(on: connection)
        let entries = try entries(of: table.parked, after: 0, limit: Self.retried, on: connection)
        for entry in entries {
            do {
                try attempt(on: connection) { connection in
                    _ = try parked.run(after: entry - 1, limit: 1, mode: .replacing, on: connection)
                }
            } catch let error as PgError where error.isAboutData {
                let window = SpoolWindow(after: entry - 1, through: entry)
                if try connection.execute(parked.sql.isThere(window)).single().value() {
                    try connection.query(
                        "UPDATE \(table.parked.sql) SET seq = DEFAULT, why = $2, conflicts = $3 WHERE seq = $1",
                        [.int(entry), .text(Self.reason(error)), .bool(error.isRowConflict)])
                } else {
                    try connection.query("DELETE FROM \(table.parked.sql) WHERE seq = $1", [.int(entry)])
                }
            }
        }
    }

    /// Rows that other rows stand in the way of, all at once: the values may have moved among them.
    private func settleConflicts(on connection: isolated PgConnection) throws {
        // One stretch of numbers, for one batch.
        let entries: [Int64] = try connection.query(
            """
            UPDATE \(table.parked.sql) SET seq = DEFAULT
            WHERE seq IN (SELECT seq FROM \(table.parked.sql) WHERE conflicts ORDER BY seq LIMIT \(Self.retried)) RETURNING seq
            """
        ).rows.map { try $0.value() }
        guard let first = entries.min() else { return }
        do {
            try attempt(on: connection) { connection in
                _ = try parked.run(after: first - 1, limit: entries.count, mode: .replacing, on: connection)
            }
        } catch let error as PgError where error.isAboutData {}
    }

    private func entries(
        of spool: QualifiedName, after: Int64, limit: Int, on connection: isolated PgConnection
    ) throws -> [Int64] {
        try connection.query(
            "SELECT seq FROM \(spool.sql) WHERE seq > $1 ORDER BY seq LIMIT $2", [.int(after), .int(limit)]
        ).rows.map { try $0.value() }
    }

    private func attempt<Value>(
        on connection: isolated PgConnection, _ body: (isolated PgConnection) throws -> Value
    ) throws -> Value {
        try connection.execute("SAVEPOINT shadow_alter_row")
        do {
            let value = try body(connection)
            try connection.execute("RELEASE SAVEPOINT shadow_alter_row")
            return value
        } catch let error as PgError where !error.isConnectionLoss {
            try connection.execute("ROLLBACK TO SAVEPOINT shadow_alter_row; RELEASE SAVEPOINT shadow_alter_row")
            throw error
        }
    }

    private static func reason(_ error: PgError) -> String {
        error.message + (error.columnName.map { ", column \($0)" } ?? "")
    }
}
