extension Planner {
    mutating func planUpdate() -> Script.Ending? {
        guard let key = drawRow(), let assignments = assignments() else { return nil }
        update(key, assignments)
        return .autocommit
    }

    mutating func planUpdateToNull() -> Script.Ending? {
        let nullable = table.positions { $0.isNullable }
        guard let position = random.choice(nullable), let key = drawRow() else { return nil }
        update(key, [position: .null])
        return .autocommit
    }

    mutating func planUpdateNothing() -> Script.Ending? {
        guard !table.written.isEmpty, let key = drawRow(), let row = row(key) else { return nil }
        let positions = random.chance(50) ? table.written : [table.written[0]]
        draft.add(Step(statements.touch(key, positions), .affected(1)))
        draft.set(key, row)
        return .autocommit
    }

    /// The new value depends on the one in the table: a lost or doubled change cannot hide.
    mutating func planUpdateRelative() -> Script.Ending? {
        guard let counter = table.counter, let key = drawRow(), var row = row(key),
            let value = row.values[counter].flatMap({ Int($0) })
        else { return nil }
        draft.add(Step(statements.increment(key, counter), .affected(1)))
        row.values[counter] = String(value + 1)
        draft.set(key, row)
        return .autocommit
    }

    mutating func planUpdateToast() -> Script.Ending? {
        let toasted = table.positions { $0.kind.isToast }
        guard let position = random.choice(toasted), let key = drawRow() else { return nil }
        update(key, [position: value(position)])
        return .autocommit
    }

    /// The change stream of such an update does not contain the large value.
    mutating func planUpdateBesideToast() -> Script.Ending? {
        let toasted = table.positions { $0.kind.isToast }
        guard !toasted.isEmpty, let assignments = assignments() else { return nil }
        for _ in 0..<8 {
            guard let key = drawRow(), let row = row(key) else { return nil }
            if toasted.contains(where: { row.values[$0] != nil }) {
                update(key, assignments)
                return .autocommit
            }
        }
        return nil
    }

    mutating func planPreparedUpdate() -> Script.Ending? {
        guard prepared.isUsable, let position = random.choice(prepared.updatable), let key = drawRow(),
            let row = row(key)
        else { return nil }
        let value = value(position)
        draft.add(Step(prepared.update(key, position, value), .affected(1)))
        draft.set(key, updated(row, [position: value]))
        return .autocommit
    }

    mutating func planIncrementHot() -> Script.Ending? {
        incrementHotRows()
        guard let first = draft.increments.first else { return nil }
        return draft.increments.count == 1 && first % 2 == 0 ? .autocommit : .commit
    }
}
