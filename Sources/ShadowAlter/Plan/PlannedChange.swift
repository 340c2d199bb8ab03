import PgConnection

/// The request, read: which tables, and what is to be executed on their clones.
struct PlannedChange: Sendable {
    struct Statement: Sendable {
        /// What the user has written: a statement, or the clauses of an ALTER TABLE.
        var sql: String
        /// nil for other statements than ALTER TABLE.
        var alter: AlterTable?
        /// The table that an ALTER TABLE is about.
        var table: UInt32?
        /// What it names and is not made by it.
        var names: [NamedObject] = []
        var effect = Effect.other

        /// Whether `sql` is clauses alone, to be completed by the table's name.
        var isClauses: Bool { alter?.name.isEmpty == true }
    }

    /// What a statement does beside changing what there is.
    enum Effect: Sendable, Equatable {
        case other
        /// Takes these tables away; others of the same names are made for them later.
        case drop([UInt32])
        /// Makes the table that takes this one's place.
        case create(UInt32)
        /// Makes a partition of this name below the table that takes this one's place.
        case createPartition(String, of: UInt32)
    }

    /// In the order of their OIDs, in which they will be locked.
    var tables: [PlannedTable]
    /// Those of them that the script drops and creates anew.
    var replaced: Set<UInt32> = []
    var statements: [Statement]

    /// - Throws: `Refused` for text that cannot be read, for a table that is not there, and for statements that are not supported.
    static func read(_ request: MigrationRequest, on connection: isolated PgConnection) throws -> PlannedChange {
        let standard: Bool =
            try connection.query("SELECT current_setting('standard_conforming_strings') = 'on'").single().value()
        switch request.change {
        case .alter(let name, let clauses):
            guard let table = try PlannedTable.find(name, on: connection) else { throw Refused.unknownTable(name) }
            let statements = try split(clauses, standard, object: "--alter")
            guard statements.count <= 1 else {
                throw Refused.change(
                    "--alter", "there is a semicolon between clauses", "--alter takes the clauses of one ALTER TABLE",
                    "separate them by commas, or use --script")
            }
            return PlannedChange(
                tables: [table],
                statements: try statements.map { statement in
                    let alter = AlterTable(clauses: statement)
                    try Unsupported.check(alter, object: "--alter")
                    return Statement(sql: statement.text, alter: alter, table: table.sourceOID)
                })
        case .script(let script):
            var reader = ScriptReader()
            for statement in try split(script, standard, object: "--script") {
                try reader.read(statement, on: connection)
            }
            return try reader.change()
        }
    }

    /// The migration's name: the only table's, unless it was given one.
    func name(asked name: String?) throws -> String {
        if let name { return name }
        guard let first = tables.first, tables.count == 1 else {
            throw Refused([
                Refusal(
                    code: "name-needed", object: "--script",
                    what: "it changes several tables (\(tables.map(\.source.description).joined(separator: ", ")))",
                    why: "their migration goes by a name of its own, from which its schemas are named as well",
                    fix: "give it one: --name NAME")
            ])
        }
        return first.source.name
    }

    private static func split(_ text: String, _ standard: Bool, object: String) throws -> [SQLStatement] {
        do {
            return try SQLStatement.split(text, standardStrings: standard)
        } catch {
            throw Refused.change(
                object, "\(error.what) that begins at character \(error.offset + 1) has no end",
                "the text cannot be cut into statements", "close it")
        }
    }
}

extension Refused {
    /// A refusal of the change itself.
    static func change(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refused {
        Refused([Refusal(code: "unsupported-change", object: object, what: what, why: why, fix: fix)])
    }

    static func unknownTable(_ name: String) -> Refused {
        Refused([
            Refusal(
                code: "unknown-table", object: name, what: "there is no such table in this database",
                why: "it was looked for by the session's search_path", fix: "check the name, the schema and --dsn")
        ])
    }
}
