import PgConnection

@testable import LedgerWorkload

extension RandomTable {
    mutating func makeChange() {
        guard random.chance(65) else { return }
        var clauses: [String] = []
        for _ in 0..<(random.chance(70) ? 1 : 2) {
            if let clause = clause(), !clauses.contains(clause) { clauses.append(clause) }
        }
        // A column is changed once; two clauses seldom meet.
        change = clauses.joined(separator: ", ")
    }

    private mutating func clause() -> String? {
        switch random.number(0...9) {
        case 0...3:
            guard let column = random.choice(live.filter { !$0.type.changes.isEmpty && $0.generated == nil }),
                let type = random.choice(column.type.changes)
            else { return nil }
            return "ALTER \(column.quoted) TYPE "
                + type.split(separator: "\0", omittingEmptySubsequences: false).joined(separator: column.quoted)
        case 4, 5:
            guard let type = random.choice(RandomType.all) else { return nil }
            let value = type.defaults.filter { !$0.contains("now") && !$0.contains("current") }.first
            return "ADD \(Quoting.identifier("added \(random.number(0...999))")) \(type.sql)"
                + (value.map { " NOT NULL DEFAULT \($0)" } ?? "")
        case 6:
            return random.choice(live.filter { !$0.isUsed }).map { "DROP \($0.quoted)" }
        case 7:
            guard let column = random.choice(live.filter { !$0.type.defaults.isEmpty && $0.isPlain }) else {
                return nil
            }
            return "ALTER \(column.quoted) SET DEFAULT \(column.type.defaults[0])"
        case 8:
            return random.choice(live).map { "ADD CHECK (\($0.quoted) IS NOT NULL OR true)" }
        default:
            return random.choice(live.filter { $0.generated == nil }).map { "ALTER \($0.quoted) SET STATISTICS 99" }
        }
    }
}
