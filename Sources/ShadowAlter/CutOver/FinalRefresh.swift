import PgConnection

/// The refresh under the lock: brings every shadow table up to date with everything that is spooled, all tables at once.
struct FinalRefresh: Sendable {
    /// A row cannot be had in its new form. Which one, the next refresh finds out, when nobody is waiting for us.
    struct BadRow: Error {
        let error: PgError
    }

    private let pending: PendingTables

    init(_ pending: PendingTables) {
        self.pending = pending
    }

    /// The caller holds ACCESS EXCLUSIVE on the sources: nobody is there who writes or is not visible yet.
    func run(on connection: isolated PgConnection) throws {
        do {
            try refresh(on: connection)
        } catch let error as PgError where error.isAboutData {
            throw BadRow(error: error)
        }
    }

    private func refresh(on connection: isolated PgConnection) throws {
        let pending = try pending.ask(on: connection)
        for table in pending where table.isTruncated { try settle(table.table, on: connection) }
        let others = pending.filter { !$0.isTruncated }.map(\.table)
        guard !others.isEmpty else { return }
        try connection.execute(others.flatMap { Self.statements($0) })
    }

    /// All keys in one batch, so that values may have moved between any of the rows.
    static func statements(_ table: TableRecord) -> [String] {
        let sql = RefreshSQL(table)
        return sql.statements(.all, mode: .replacing) + [SpoolSQL.delete(sql.spool, .all)]
    }

    private func settle(_ table: TableRecord, on connection: isolated PgConnection) throws {
        let batch = RefreshBatch(table)
        var after: Int64 = 0
        while let through = try batch.run(
            after: after, limit: 10_000, mode: .replacing, isLocked: true, on: connection
        ).through {
            after = through
        }
    }
}
