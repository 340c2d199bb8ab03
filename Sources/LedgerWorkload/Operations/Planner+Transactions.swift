extension Planner {
    /// A few changes of any kind; what they do is checked from inside the transaction.
    private mutating func someChanges(_ count: Int) {
        for _ in 0..<count {
            switch random.number(0...5) {
            case 0: insert([(drawFreeKey(), newValues())])
            case 1:
                if let key = drawRow() { delete([key]) }
            case 2:
                let canChangeKeys = table.sequence?.updatable ?? true
                if canChangeKeys, let key = drawRow() { moveRow(key, to: drawFreeKey()) }
            case 3:
                if let key = drawRow() { read([key]) }
            default:
                if let key = drawRow(), let assignments = assignments() { update(key, assignments) }
            }
        }
    }

    mutating func planMixed() -> Script.Ending? {
        someChanges(random.number(2...10))
        if random.chance(30) { incrementHotRows() }
        return .commit
    }

    /// Part of the transaction is taken back and part of it stays, at two depths.
    mutating func planSavepoints() -> Script.Ending? {
        someChanges(random.number(1...2))
        let outer = draft
        draft.add(Step("SAVEPOINT outer_one"))
        someChanges(random.number(1...3))
        let inner = draft
        draft.add(Step("SAVEPOINT inner_one"))
        someChanges(random.number(1...3))
        if random.chance(60) {
            draft.add(Step("ROLLBACK TO SAVEPOINT inner_one"))
            draft.rollBack(to: inner)
        } else {
            draft.add(Step("RELEASE SAVEPOINT inner_one"))
        }
        if random.chance(40) {
            draft.add(Step("ROLLBACK TO SAVEPOINT outer_one"))
            draft.rollBack(to: outer)
        }
        someChanges(random.number(1...2))
        return .commit
    }

    mutating func planRollback() -> Script.Ending? {
        someChanges(random.number(1...6))
        return .rollback
    }

    /// Thousands of rows in one commit, and a part of them changed or gone again before it.
    mutating func planLarge() -> Script.Ending? {
        var made: [Key] = []
        for _ in 0..<random.number(4...12) {
            let rows = (0..<250).map { _ in (key: keys.take(), values: newValues(slim: true)) }
            insert(rows)
            made += rows.map(\.key)
        }
        if let assignments = assignments() {
            let some = made.filter { _ in random.chance(20) }
            if !some.isEmpty {
                draft.add(Step(statements.update(some, assignments), .affected(some.count)))
                for key in some {
                    if let row = row(key) { draft.set(key, updated(row, assignments)) }
                }
            }
        }
        let gone = made.filter { _ in random.chance(60) }
        if !gone.isEmpty { delete(gone) }
        return .commit
    }
}
