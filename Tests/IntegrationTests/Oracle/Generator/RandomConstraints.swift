import PgConnection

@testable import LedgerWorkload

extension RandomTable {
    mutating func makeConstraints() {
        for _ in 0..<random.number(0...3) { makeCheck() }
        if random.chance(25), let column = use({ $0.type.isDistinct && $0.type.isBtree && $0.generated == nil }) {
            let deferred = random.choice(["", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED"]) ?? ""
            let nulls = version >= 15 && random.chance(20) ? " NULLS NOT DISTINCT" : ""
            add("UNIQUE\(nulls) (\(columns[column].quoted))\(deferred)", isIndex: true)
        }
        if random.chance(30), let column = use({ $0.type.sql == "int4range" }) {
            let part = columns[column].quoted
            add(
                "EXCLUDE USING gist (\(part) WITH &&) WHERE (\(part) IS NOT NULL)\(random.chance(30) ? " DEFERRABLE" : "")",
                isIndex: true)
        }
        if version >= 18, random.chance(15), let column = use({ $0.type.sql == "int4range" }), key.count == 1,
            let id = key.first,
            columns[id].type.gist != nil
        {
            add("UNIQUE (\(columns[id].quoted), \(columns[column].quoted) WITHOUT OVERLAPS)", isIndex: true)
        }
        if version >= 18, random.chance(15),
            let column = use({ !$0.isNotNull && $0.isPlain && !$0.type.value.contains("NULL END") })
        {
            add("NOT NULL \(columns[column].quoted) NO INHERIT", isIndex: false)
            columns[column].isNotNull = true
        }
        if version >= 18, random.chance(15),
            let column = use({ !$0.isNotNull && $0.isPlain && !$0.type.value.contains("NULL END") })
        {
            add("NOT NULL \(columns[column].quoted) NOT VALID", isIndex: false)
            columns[column].isNotNull = true
        }
    }

    private mutating func makeCheck() {
        let condition: String
        if random.chance(10) {
            add("CHECK (\(Quoting.identifier(name)).* IS DISTINCT FROM NULL)", isIndex: false)
            // Whole rows, also of the columns that come and go.
            for index in columns.indices { columns[index].isUsed = true }
            return
        }
        if random.chance(50), let column = use({ $0.type.isInteger && $0.generated == nil }) {
            condition =
                random.chance(30)
                ? "s.twice(\(columns[column].quoted)::int % 7) < 100" : "\(columns[column].quoted) >= -9"
        } else if let column = use({ $0.generated == nil }) {
            condition = "\(columns[column].quoted) IS NOT NULL OR \(columns[column].quoted) IS NULL"
        } else {
            return
        }
        let extras = random.choice(["", "", " NO INHERIT", " NOT VALID", version >= 18 ? " NOT ENFORCED" : ""]) ?? ""
        add("CHECK (\(condition))\(extras)", isIndex: false)
    }

    private mutating func add(_ definition: String, isIndex: Bool) {
        let chosen = isIndex ? name("u") : constraintName("check")
        let isNamed = random.chance(70)
        setup.append(
            "ALTER TABLE \(sql) ADD \(isNamed ? "CONSTRAINT \(Quoting.identifier(chosen)) " : "")\(definition)")
        if isNamed, random.chance(25) {
            setup.append("COMMENT ON CONSTRAINT \(Quoting.identifier(chosen)) ON \(sql) IS 'a \"constraint\"'")
        }
    }
}
