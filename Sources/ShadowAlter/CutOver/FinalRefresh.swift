import PgConnection

/// The refresh under the lock: brings every shadow table up to date with everything that is spooled, all tables at once.
struct FinalRefresh: Sendable {
    private let pending: PendingTables

    init(_ pending: PendingTables) {
        self.pending = pending
    }

    /// The caller holds ACCESS EXCLUSIVE on the sources: nobody is there who writes or is not visible yet.
    func run(on connection: isolated PgConnection) throws {
        let pending = try pending.ask(on: connection)
        for table in pending where table.isTruncated { try settle(table.table, on: connection) }
        let others = pending.filter { !$0.isTruncated }.map(\.table)
        guard !others.isEmpty else { return }
        let statements = others.map { Self.statements($0) }
        do {
            try connection.execute(statements.flatMap { $0 })
        } catch let error as PgError {
            var index = error.statementIndex ?? 0
            let table = zip(others, statements).first { _, own in
                index -= own.count
                return index < 0
            }
            throw table.flatMap { BadData.explain(error, table: $0.0.plan, source: .liveWrite) } ?? error
        }
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
