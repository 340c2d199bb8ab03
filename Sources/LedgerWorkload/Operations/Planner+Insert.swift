extension Planner {
    /// The key comes from the column's default where it has a sequence; then the row's key is known only afterwards, and
    /// the statement is in a transaction, so that it is known before the commit.
    @discardableResult
    mutating func planInsertOne() -> Script.Ending? {
        guard table.sequence != nil, !table.written.isEmpty, random.chance(75) else {
            insert([(keys.take(), newValues())])
            return .commit
        }
        let rows = (0..<(random.chance(70) ? 1 : random.number(2...5))).map { _ in newValues() }
        draft.add(Step(statements.insertReturningKey(rows), .newKeys(rows.count)))
        draft.rowsWithNewKeys = rows.map { logicalRow($0) }
        return .commit
    }

    mutating func planInsertMany() -> Script.Ending? {
        insert((0..<random.number(2...20)).map { _ in (keys.take(), newValues()) })
        return .autocommit
    }

    mutating func planCopyIn() -> Script.Ending? {
        let rows = (0..<random.number(1...50)).map { _ in (key: keys.take(), values: newValues()) }
        let (sql, data) = statements.copyIn(rows)
        draft.add(Step(copyIn: sql, data, rows: rows.count))
        for row in rows { draft.set(row.key, logicalRow(row.values)) }
        return random.chance(50) ? .autocommit : .commit
    }

    /// Some rows that exist and some that do not, in one statement.
    mutating func planUpsert() -> Script.Ending? {
        let updating = table.positions { $0.kind.isOrdinary }
        var rows: [(key: Key, values: [Int: GeneratedValue])] = drawRows(random.number(0...3)).map { ($0, newValues()) }
        rows += (0..<random.number(1...3)).map { _ in (keys.take(), newValues()) }
        draft.add(
            Step(
                statements.upsert(rows, updating: updating),
                .affected(updating.isEmpty ? rows.count { row($0.key) == nil } : rows.count)))
        for (key, values) in rows {
            if let known = row(key) {
                draft.set(key, updated(known, values.filter { updating.contains($0.key) }))
            } else {
                draft.set(key, logicalRow(values))
            }
        }
        return .autocommit
    }

    /// A key comes back as another row, in a transaction after the one that deleted it.
    mutating func planReinsert() -> Script.Ending? {
        guard let key = ledger.deleted.draw(&random) else { return nil }
        insert([(key, newValues())])
        return .autocommit
    }

    mutating func planPreparedInsert() -> Script.Ending? {
        guard prepared.isUsable, prepared.canInsert else { return nil }
        let key = drawFreeKey()
        let values = newValues()
        draft.add(Step(prepared.insert(key, values), .affected(1)))
        draft.set(key, logicalRow(values))
        return .autocommit
    }
}
