extension Planner {
    private var uniquePositions: [Int] { table.positions { $0.kind.isUnique } }

    /// Two rows exchange their values: with a DEFERRABLE constraint in one statement, otherwise by way of a third value.
    mutating func planSwapUnique() -> Script.Ending? {
        guard let position = random.choice(uniquePositions), let first = drawRow(),
            let second = drawRow(besides: [first]), let firstRow = row(first), let secondRow = row(second)
        else { return nil }
        let column = table.columns[position]
        let mine = GeneratedValue(firstRow.values[position])
        let other = GeneratedValue(secondRow.values[position])
        if column.isDeferrable && random.chance(50) {
            draft.add(Step(statements.swap(first, second, position), .affected(2)))
            draft.set(first, updated(firstRow, [position: other]))
            draft.set(second, updated(secondRow, [position: mine]))
            return random.chance(50) ? .autocommit : .commit
        }
        let between = column.isNullable && random.chance(50) ? GeneratedValue.null : uniqueValue(position)
        update(first, [position: between])
        update(second, [position: mine])
        update(first, [position: other])
        return .commit
    }

    /// The value goes from a row that is deleted to one that is new, or to another row.
    mutating func planHandOverUnique() -> Script.Ending? {
        guard let position = random.choice(uniquePositions), let old = drawRow(),
            let value = row(old)?.values[position]
        else { return nil }
        delete([old])
        if random.chance(50), let heir = drawRow(besides: [old]) {
            update(heir, [position: GeneratedValue(value)])
        } else {
            var values = newValues()
            values[position] = GeneratedValue(value)
            insert([(keys.take(), values)])
        }
        return .commit
    }
}
