import PgConnection

@testable import LedgerWorkload

extension RandomTable {
    mutating func makeIndexes() {
        makeKeyIndex()
        for _ in 0..<random.number(0...5) { makeIndex() }
    }

    private mutating func makeKeyIndex() {
        let names = key.map { columns[$0].quoted }.joined(separator: ", ")
        let hasPrimaryKey = random.chance(85)
        let constraint = name("key")
        if hasPrimaryKey {
            var definition = "ALTER TABLE \(sql) ADD "
            if random.chance(60) { definition += "CONSTRAINT \(Quoting.identifier(constraint)) " }
            definition += "PRIMARY KEY (\(names))"
            if random.chance(15), let index = use({ $0.type.isBtree && $0.generated == nil }), !key.contains(index) {
                definition += " INCLUDE (\(columns[index].quoted))"
            }
            if random.chance(15) { definition += " WITH (fillfactor = 65)" }
            if random.chance(10) { definition += " USING INDEX TABLESPACE \"sink Space\"" }
            setup.append(definition)
            for index in key { columns[index].isNotNull = true }
            if random.chance(10) {
                // The index and its constraint have one name, whichever is renamed.
                let renamed = Quoting.identifier(name("renamed"))
                let own =
                    "(SELECT conname FROM pg_constraint WHERE conrelid = \(Quoting.literal(sql))::regclass AND contype = 'p')"
                setup.append(
                    "DO $do$ BEGIN EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %s', \(Quoting.literal(sql)), \(own), \(Quoting.literal(renamed))); END $do$"
                )
            }
            if random.chance(10) { setup.append("ALTER TABLE \(sql) REPLICA IDENTITY FULL") }
            return
        }
        for index in key where !columns[index].isNotNull {
            setup.append("ALTER TABLE \(sql) ALTER \(columns[index].quoted) SET NOT NULL")
            columns[index].isNotNull = true
        }
        setup.append("CREATE UNIQUE INDEX \(Quoting.identifier(constraint)) ON \(sql) (\(names))")
        setup.append("ALTER TABLE \(sql) REPLICA IDENTITY USING INDEX \(Quoting.identifier(constraint))")
    }

    private mutating func makeIndex() {
        let index = name("i")
        let quoted = "\(Quoting.identifier(schema)).\(Quoting.identifier(index))"
        var expressions = 0
        guard let body = indexBody(&expressions) else { return }
        setup.append(
            "CREATE \(body.isUnique ? "UNIQUE " : "")INDEX \(Quoting.identifier(index)) ON \(sql) \(body.text)")
        if expressions > 0, random.chance(40) {
            setup.append("ALTER INDEX \(quoted) ALTER COLUMN \(expressions) SET STATISTICS \(random.number(0...400))")
        }
        if random.chance(15) { setup.append("COMMENT ON INDEX \(quoted) IS 'index \\ ''\(expressions)'''") }
        if random.chance(10), body.canCluster {
            setup.append("ALTER TABLE \(sql) CLUSTER ON \(Quoting.identifier(index))")
        }
    }

    private struct IndexBody {
        var text: String
        var isUnique = false
        var canCluster = false
    }

    private mutating func indexBody(_ expression: inout Int) -> IndexBody? {
        switch random.number(0...9) {
        case 0:
            guard let column = use({ $0.type.isHash && $0.type.isBtree }) else { return nil }
            return IndexBody(text: "USING hash (\(columns[column].quoted))" + predicate())
        case 1:
            guard let column = use({ $0.type.gin != nil }), let operators = columns[column].type.gin else { return nil }
            return IndexBody(text: "USING gin (\(columns[column].quoted) \(operators)) WITH (fastupdate = off)")
        case 2:
            guard let column = use({ $0.type.gist != nil }), let operators = columns[column].type.gist else {
                return nil
            }
            return IndexBody(
                text: "USING gist (\(columns[column].quoted) \(operators)) WITH (buffering = on)", canCluster: true)
        case 3:
            guard let column = use({ $0.type.isInteger || $0.type.sql == "date" }) else { return nil }
            return IndexBody(
                text: "USING brin (\(columns[column].quoted)) WITH (pages_per_range = \(random.number(1...9)))")
        case 4:
            // Equality on a distinct column, of any nullness.
            guard let column = use({ $0.type.isDistinct && $0.type.isBtree && !$0.type.value.isEmpty }) else {
                return nil
            }
            let nulls = version >= 15 && random.chance(30) ? " NULLS NOT DISTINCT" : ""
            return IndexBody(text: "(\(columns[column].quoted))\(included())\(nulls)\(predicate())", isUnique: true)
        default: return btree(&expression)
        }
    }

    private mutating func btree(_ expression: inout Int) -> IndexBody? {
        var parts: [String] = []
        for number in 1...random.number(1...3) {
            if random.chance(25), let column = use({ $0.type.isInteger && $0.generated == nil }) {
                parts.append(
                    random.chance(50) ? "(\(columns[column].quoted) + \(number))" : "abs(\(columns[column].quoted))")
                expression = parts.count
            } else if let column = use({ $0.type.isBtree }) {
                let isText = ["text", "varchar(50)"].contains(columns[column].type.sql)
                parts.append(
                    columns[column].quoted
                        + (isText && random.chance(30)
                            ? " COLLATE \"POSIX\" \(columns[column].type.sql == "text" ? "text" : "varchar")_pattern_ops"
                            : ""))
            }
            guard !parts.isEmpty else { return nil }
            parts[parts.count - 1] += random.choice(["", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"]) ?? ""
        }
        let predicate = predicate()
        let options = random.chance(20) ? " WITH (fillfactor = 55, deduplicate_items = off)" : ""
        let tablespace = random.chance(10) ? " TABLESPACE \"sink Space\"" : ""
        return IndexBody(
            text: "(\(parts.joined(separator: ", ")))\(included())\(options)\(tablespace)\(predicate)",
            canCluster: predicate.isEmpty)
    }

    private mutating func included() -> String {
        guard random.chance(20), let column = use({ $0.generated != "VIRTUAL" && $0.type.isBtree }) else { return "" }
        return " INCLUDE (\(columns[column].quoted))"
    }

    private mutating func predicate() -> String {
        guard random.chance(25), let column = use({ $0.generated != "VIRTUAL" }) else { return "" }
        return " WHERE \(columns[column].quoted) IS NOT NULL"
    }
}
