import PgConnection

/// The request, read: which table, and what is to be executed on its clone.
struct PlannedChange: Sendable {
    struct Statement: Sendable {
        /// What is executed, with the green schema first in `search_path`.
        var sql: String
        /// How many characters of `sql` the user did not type.
        var prefixLength: Int
        var alter: AlterTable?
    }

    var source: QualifiedName
    var sourceOID: UInt32
    var statements: [Statement]

    /// - Throws: `Refused` for text that cannot be read, for a table that is not there, and for statements that are not supported.
    static func read(_ request: MigrationRequest, on connection: isolated PgConnection) throws -> PlannedChange {
        let standard: Bool =
            try connection.query("SELECT current_setting('standard_conforming_strings') = 'on'").single().value()
        switch request.change {
        case .alter(let table, let clauses):
            let (name, oid) = try resolve(table, on: connection)
            let statements = try split(clauses, standard, object: "--alter")
            guard statements.count <= 1 else {
                throw Refused.change(
                    "--alter", "there is a semicolon between clauses", "--alter takes the clauses of one ALTER TABLE",
                    "separate them by commas, or use --script")
            }
            return PlannedChange(
                source: name, sourceOID: oid,
                statements: try statements.map { statement in
                    let alter = AlterTable(clauses: statement)
                    try Unsupported.check(alter, object: "--alter")
                    return Statement(sql: statement.text, prefixLength: 0, alter: alter)
                })
        case .script(let script):
            return try read(script: split(script, standard, object: "--script"), on: connection)
        }
    }

    private static func read(
        script statements: [SQLStatement], on connection: isolated PgConnection
    ) throws -> PlannedChange {
        let alters = statements.map { AlterTable(statement: $0) }
        let names = Set(alters.compactMap { $0?.name })
        guard let name = names.first, names.count == 1 else {
            throw Refused.change(
                "--script", names.isEmpty ? "no ALTER TABLE is in it" : "it changes several tables",
                "this version changes exactly one table by a script, named by its ALTER TABLE statements",
                "write one script per table, or wait for the version that swaps several tables together")
        }
        guard name.count == 1 else {
            throw Refused.change(
                name.joined(separator: "."), "the table is named with its schema",
                "the script is tried on a copy of the table in another schema; with the schema it would change the live one",
                "leave the schema out, and set search_path (PGOPTIONS='-c search_path=…') where it is needed")
        }
        let (source, oid) = try resolve(Quoting.identifier(name[0]), on: connection)
        for (statement, alter) in zip(statements, alters) {
            if let alter {
                try Unsupported.check(alter, object: "--script")
            } else {
                try Unsupported.check(other: statement, schema: source.schema)
            }
        }
        return PlannedChange(
            source: source, sourceOID: oid,
            statements: zip(statements, alters).map { Statement(sql: $0.text, prefixLength: 0, alter: $1) })
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

    /// PostgreSQL resolves the name, by the session's `search_path`.
    private static func resolve(
        _ table: String, on connection: isolated PgConnection
    ) throws -> (QualifiedName, UInt32) {
        let row = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = to_regclass($1)
            """, [.text(table)]
        ).first
        guard let row else {
            throw Refused([
                Refusal(
                    code: "unknown-table", object: table, what: "there is no such table in this database",
                    why: "it was looked for by the session's search_path", fix: "check the name, the schema and --dsn")
            ])
        }
        return (QualifiedName(schema: try row.get("nspname"), name: try row.get("relname")), try row.get("oid"))
    }
}

extension Refused {
    /// A refusal of the change itself.
    static func change(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refused {
        Refused([Refusal(code: "unsupported-change", object: object, what: what, why: why, fix: fix)])
    }
}
