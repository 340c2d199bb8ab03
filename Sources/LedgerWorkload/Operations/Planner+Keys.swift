extension Planner {
    private var canChangeKeys: Bool { table.sequence?.updatable ?? true }

    mutating func planChangeKey() -> Script.Ending? {
        guard canChangeKeys, let key = drawRow() else { return nil }
        moveRow(key, to: drawFreeKey())
        return .autocommit
    }

    /// a → new, b → a, c → b: keys that exist before and after, with another row each.
    mutating func planRotateKeys() -> Script.Ending? {
        let rows = drawRows(3)
        guard canChangeKeys, rows.count >= 2 else { return nil }
        var free = drawFreeKey()
        for key in rows {
            moveRow(key, to: free)
            free = key
        }
        // Now and then the last key that became free is taken at once by a new row.
        if random.chance(50) { insert([(free, newValues())]) }
        return .commit
    }
}
