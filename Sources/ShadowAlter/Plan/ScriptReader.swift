import PgConnection

/// Reads the statements of a script in their order, and finds the tables that they are about.
struct ScriptReader {
    private var tables: [PlannedTable] = []
    private var statements: [PlannedChange.Statement] = []
    /// What the script itself has made so far, which is not to be looked for among what is there.
    private var made: [NamedObject] = []
    /// The tables that the script drops and creates anew; until then nothing of their name is to be had.
    private var dropped: Set<UInt32> = []
    private var replaced: Set<UInt32> = []
    /// The table in whose place a partitioned one is made, by the names of that and of its partitions.
    private var trees: [[String]: UInt32] = [:]

    /// - Throws: `Refused` for a statement that is not supported, and for a table that is not there.
    mutating func read(_ statement: SQLStatement, on connection: isolated PgConnection) throws {
        if let alter = AlterTable(statement: statement) {
            try Unsupported.check(alter, object: "--script")
            try checkUnqualified(alter.name, statement)
            let object = NamedObject.relation(alter.name)
            guard !made.contains(object) || trees[alter.name] == nil else {
                statements.append(.init(sql: statement.text, names: [object]))
                return
            }
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
            statements.append(
                .init(sql: statement.text, alter: alter, table: table.sourceOID, names: [object]))
            return
        }
        if let table = TableStatement(statement) {
            try read(table, statement, on: connection)
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
        statements.append(.init(sql: statement.text, names: named.used))
    }

    private mutating func read(
        _ table: TableStatement, _ statement: SQLStatement, on connection: isolated PgConnection
    ) throws {
        switch table {
        case .unsupported(let what, let why):
            throw Refused.change("--script", what, why, "leave it out")
        case .drop(let names):
            let tables = try names.map { name in
                try checkUnqualified(name, statement)
                return try replaceable(name, on: connection)
            }
            dropped.formUnion(tables.map(\.sourceOID))
            statements.append(
                .init(
                    sql: statement.text, names: names.map { .relation($0) }, effect: .drop(tables.map(\.sourceOID))))
        case .create(let name, let parent?):
            try checkUnqualified(name, statement)
            try checkUnqualified(parent, statement)
            guard let root = trees[parent] else {
                throw Refused.change(
                    name.joined(separator: "."), "the script makes it a partition of \(parent.joined(separator: "."))",
                    "that is not a table which the script has dropped and created before",
                    "attach a partition to a table that stays on its own, before or afterwards")
            }
            trees[name] = root
            made.append(.relation(name))
            statements.append(
                .init(
                    sql: statement.text, names: [.relation(parent)],
                    effect: .createPartition(name.joined(), of: root)))
        case .create(let name, nil):
            try checkUnqualified(name, statement)
            guard let old = try PlannedTable.find(Quoting.identifiers(name), on: connection),
                dropped.remove(old.sourceOID) != nil
            else {
                throw Refused.change(
                    name.joined(separator: "."),
                    "the script creates it and has not dropped a table of this name before",
                    "only what takes an old table's place, and its partitions, can be created",
                    "create it on its own, before or afterwards")
            }
            replaced.insert(old.sourceOID)
            trees[name] = old.sourceOID
            statements.append(.init(sql: statement.text, effect: .create(old.sourceOID)))
        }
    }

    /// A table that DROP TABLE names, once.
    private mutating func replaceable(_ name: [String], on connection: isolated PgConnection) throws -> PlannedTable {
        guard let table = try PlannedTable.find(Quoting.identifiers(name), on: connection) else {
            throw Refused.unknownTable(name.joined(separator: "."))
        }
        guard !table.isPartitioned, !dropped.contains(table.sourceOID), !replaced.contains(table.sourceOID) else {
            throw Refused.change(
                table.source.description,
                table.isPartitioned ? "the script replaces a partitioned table" : "the script drops it twice",
                table.isPartitioned
                    ? "rows that move between its partitions could not be followed into other ones"
                    : "a table is replaced once", "drop and create an ordinary table, once")
        }
        add(table)
        return table
    }

    func change() throws -> PlannedChange {
        guard !tables.isEmpty else {
            throw Refused.change(
                "--script", "it names no table", "nothing tells which table is to be changed",
                "name it: ALTER TABLE …, CREATE INDEX … ON …")
        }
        if let table = tables.first(where: { dropped.contains($0.sourceOID) }) {
            throw Refused.change(
                table.source.description, "the script drops it and creates no other one of this name",
                "nothing would take its place", "create it, or drop the table on its own")
        }
        return PlannedChange(
            tables: tables.sorted { $0.sourceOID < $1.sourceOID }, replaced: replaced, statements: statements)
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
