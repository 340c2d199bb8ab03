extension Planner {
    mutating func planDelete() -> Script.Ending? {
        guard let key = drawRow() else { return nil }
        delete([key])
        return .autocommit
    }

    mutating func planDeleteMany() -> Script.Ending? {
        let surplus = ledger.live.count - rowLimit
        let keys = drawRows(surplus > 0 ? min(surplus + 10, 2000) : random.number(2...15))
        guard !keys.isEmpty else { return nil }
        delete(keys)
        return .autocommit
    }

    mutating func planDeleteAndReinsert() -> Script.Ending? {
        guard let key = drawRow() else { return nil }
        delete([key])
        insert([(key, newValues())])
        return .commit
    }

    mutating func planPreparedDelete() -> Script.Ending? {
        guard prepared.isUsable, let key = drawRow() else { return nil }
        draft.add(Step(prepared.delete(key), .affected(1)))
        draft.set(key, nil)
        return .autocommit
    }
}
