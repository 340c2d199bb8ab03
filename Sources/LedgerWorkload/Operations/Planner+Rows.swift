/// What the operations have in common: choosing rows, making values, and the primitive changes.
extension Planner {
    /// The row as the present transaction sees it.
    func row(_ key: Key) -> LogicalRow? {
        if let seen = draft.row(key) { return seen }
        return ledger.rows[key]
    }

    /// One of the client's rows that is not among `others`; nil where chance finds none soon.
    mutating func drawRow(besides others: [Key] = []) -> Key? {
        for _ in 0..<8 {
            guard let key = ledger.live.draw(&random) else { return nil }
            if row(key) != nil && !others.contains(key) { return key }
        }
        return nil
    }

    mutating func drawRows(_ count: Int) -> [Key] {
        var drawn: [Key] = []
        var known: Set<Key> = []
        for _ in 0..<count {
            if let key = drawRow(), known.insert(key).inserted { drawn.append(key) }
        }
        return drawn
    }

    /// A key that this client has used before, or one that nobody ever has.
    mutating func drawFreeKey(usedBefore percent: Int = 30) -> Key {
        if random.chance(percent), let key = ledger.deleted.draw(&random), row(key) == nil { return key }
        return keys.take()
    }

    mutating func value(_ position: Int) -> GeneratedValue {
        let column = table.columns[position]
        var value = ValueGenerator.value(column, random: &random, ordinal: 0)
        // Only drawn when needed: the number's place in the sequence is part of the decisions.
        if column.kind.isUnique, value.literal != nil { value = uniqueValue(position) }
        return value
    }

    /// A value of a unique column that no row ever had.
    mutating func uniqueValue(_ position: Int) -> GeneratedValue {
        let ordinal = uniqueNumbers.takeOrdinal()
        switch table.columns[position].kind {
        case .uniqueInteger(let from): return GeneratedValue(String(from + ordinal))
        case .uniqueText(let prefix): return GeneratedValue(prefix + String(ordinal))
        default: return value(position)
        }
    }

    /// A value for every column that the workload writes. `slim`: without large values, where these are nullable.
    mutating func newValues(slim: Bool = false) -> [Int: GeneratedValue] {
        var values: [Int: GeneratedValue] = [:]
        for position in table.written {
            let column = table.columns[position]
            // Large values in two rows out of three; more would be all that the load does.
            let isLeftOut = column.kind.isToast && column.isNullable && (slim || random.chance(33))
            values[position] = isLeftOut ? .null : value(position)
        }
        return values
    }

    func logicalRow(_ values: [Int: GeneratedValue]) -> LogicalRow {
        LogicalRow(
            values: table.columns.indices.map { position in
                if case .frozen(let newRow) = table.columns[position].kind { return newRow }
                return values[position]?.canonical
            })
    }

    func updated(_ row: LogicalRow, _ assignments: [Int: GeneratedValue]) -> LogicalRow {
        var row = row
        for (position, value) in assignments { row.values[position] = value.canonical }
        return row
    }

    /// New values for one to three of the ordinary columns.
    mutating func assignments() -> [Int: GeneratedValue]? {
        let ordinary = table.positions { $0.kind.isOrdinary }
        guard !ordinary.isEmpty else { return nil }
        var values: [Int: GeneratedValue] = [:]
        for _ in 0..<random.number(1...3) {
            if let position = random.choice(ordinary) { values[position] = value(position) }
        }
        return values
    }

    // MARK: The primitive changes: a statement, and what it makes of the rows

    mutating func insert(_ rows: [(key: Key, values: [Int: GeneratedValue])]) {
        draft.add(Step(statements.insert(rows), .affected(rows.count)))
        for row in rows { draft.set(row.key, logicalRow(row.values)) }
    }

    mutating func update(_ key: Key, _ assignments: [Int: GeneratedValue]) {
        guard let row = row(key) else { return }
        draft.add(Step(statements.update([key], assignments), .affected(1)))
        draft.set(key, updated(row, assignments))
    }

    mutating func delete(_ keys: [Key]) {
        draft.add(Step(statements.delete(keys), .affected(keys.count)))
        for key in keys { draft.set(key, nil) }
    }

    mutating func moveRow(_ old: Key, to new: Key) {
        guard let row = row(old) else { return }
        draft.add(Step(statements.changeKey(old, to: new), .affected(1)))
        draft.set(old, nil)
        draft.set(new, row)
    }

    mutating func read(_ keys: [Key]) {
        draft.add(Step(statements.select(keys), .rows(expectedRows(keys))))
    }

    func expectedRows(_ keys: [Key]) -> [Key: [String?]] {
        let positions = CanonicalReading.livePositions(table)
        var expected: [Key: [String?]] = [:]
        for key in keys {
            if let row = row(key) { expected[key] = positions.map { row.values[$0] } }
        }
        return expected
    }

    /// Hot rows are everybody's, so they come last in a transaction and in ascending order: nobody waits for anybody who
    /// waits for him.
    mutating func incrementHotRows() {
        guard let counter = table.counter, !hotKeys.isEmpty else { return }
        let rows = (0..<random.number(1...2)).map { _ in random.number(0...(hotKeys.count - 1)) }.sorted()
        for hot in rows {
            draft.add(Step(statements.increment(hotKeys[hot], counter), .affected(1)))
            draft.increment(hot)
        }
    }
}
