import PgConnection

/// Reads the statements of a script in their order, and finds the tables that they are about.
struct ScriptReader {
    private var tables: [PlannedTable] = []
    private var statements: [PlannedChange.Statement] = []
    /// What the script itself has made so far, which is not to be looked for among what is there.
    private var made: [NamedObject] = []

    /// - Throws: `Refused` for a statement that is not supported, and for a table that is not there.
    mutating func read(_ statement: SQLStatement, on connection: isolated PgConnection) throws {
        if let alter = AlterTable(statement: statement) {
            try Unsupported.check(alter, object: "--script")
            try checkUnqualified(alter.name, statement)
            let name = Quoting.identifiers(alter.name)
            guard let table = try PlannedTable.find(name, on: connection) else {
                throw Refused.unknownTable(name)
            }
            guard table.source.name == alter.name.first else {
                throw Refused.change(
                    name, "it is no table, but belongs to \(table.source)", "ALTER TABLE is taken for tables only",
                    "use the statement for its kind: ALTER INDEX, or ALTER TABLE of its table")
            }
            add(table)
            statements.append(.init(sql: statement.text, alter: alter, table: table.sourceOID))
            return
        }
        let named = try Unsupported.check(other: statement)
        if let new = named.made { try checkUnqualified(new.name, statement) }
        for object in named.used {
            try checkUnqualified(object.name, statement)
            guard !made.contains(object) else { continue }
            // One that is not there is PostgreSQL's to complain about: an earlier statement may have made it on the side.
            if let table = try find(object, on: connection) { add(table) }
        }
        if let new = named.made { made.append(new) }
        statements.append(.init(sql: statement.text))
    }

    func change() throws -> PlannedChange {
        guard !tables.isEmpty else {
            throw Refused.change(
                "--script", "it names no table", "nothing tells which table is to be changed",
                "name it: ALTER TABLE …, CREATE INDEX … ON …")
        }
        return PlannedChange(tables: tables.sorted { $0.sourceOID < $1.sourceOID }, statements: statements)
    }

    private mutating func add(_ table: PlannedTable) {
        if !tables.contains(table) { tables.append(table) }
    }

    private func find(_ object: NamedObject, on connection: isolated PgConnection) throws -> PlannedTable? {
        switch object {
        case .relation(let name): try PlannedTable.find(Quoting.identifiers(name), on: connection)
        case .statistics(let name): try PlannedTable.find(statistics: name.joined(), on: connection)
        }
    }

    private func checkUnqualified(_ name: [String], _ statement: SQLStatement) throws {
        guard name.count > 1 else { return }
        throw Refused.change(
            name.joined(separator: "."),
            "it is named with its schema, in the statement \(statement.text.prefix(60)) …",
            "the script is tried on copies of the tables in another schema; with the schema it would change the live ones",
            "leave the schema out, and set search_path (PGOPTIONS='-c search_path=…') where it is needed")
    }
}
