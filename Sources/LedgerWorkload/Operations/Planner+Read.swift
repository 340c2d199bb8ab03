extension Planner {
    /// Rows that must be there, and keys that must not: both are checked against the ledger at once.
    mutating func planRead() -> Script.Ending? {
        var sought = drawRows(random.number(1...5))
        if let gone = ledger.deleted.draw(&random) { sought.append(gone) }
        guard !sought.isEmpty else { return nil }
        read(sought)
        return .autocommit
    }

    mutating func planPreparedRead() -> Script.Ending? {
        guard prepared.isUsable else { return nil }
        let gone = random.chance(15) ? ledger.deleted.draw(&random) : nil
        guard let key = gone ?? drawRow() else { return nil }
        draft.add(Step(prepared.select(key), .rows(expectedRows([key]))))
        return .autocommit
    }
}
