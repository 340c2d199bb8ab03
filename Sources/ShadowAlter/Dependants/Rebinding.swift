import PgConnection

/// Takes what PostgreSQL prints of an object that refers to the live tables, so that it refers to the green ones when it is read again: the
/// tables' names are printed without their schemas, and found in the green schema first.
struct Rebinding {
    let tables: [MigratedTable]

    private var sourceSchemas: [String] {
        tables.map(\.source.schema).reduce(into: []) { list, schema in
            if !list.contains(schema) { list.append(schema) }
        }
    }

    /// Runs `body`, which asks PostgreSQL for definitions.
    func printing<Value>(
        on connection: isolated PgConnection, _ body: (isolated PgConnection) throws -> Value
    ) throws -> Value {
        try under(sourceSchemas, on: connection, body)
    }

    /// Runs `body`, which executes definitions that were printed.
    func reading<Value>(
        on connection: isolated PgConnection, _ body: (isolated PgConnection) throws -> Value
    ) throws -> Value {
        try under(tables.prefix(1).map(\.green.schema) + sourceSchemas, on: connection, body)
    }

    private func under<Value>(
        _ schemas: [String], on connection: isolated PgConnection, _ body: (isolated PgConnection) throws -> Value
    ) throws -> Value {
        let path: String = try connection.query("SELECT current_setting('search_path')").single().value()
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(Quoting.identifiers(schemas))])
        let value = try body(connection)
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(path)])
        return value
    }
}

extension MigratedTable {
    /// A refusal for each of these columns of the source that the change renames or drops, on behalf of an object that uses it.
    func refusals(
        for columns: [String], usedBy object: String, code: String, fix: String
    ) -> [Refusal] {
        columns.compactMap { column in
            let green = greenName(of: column)
            guard green != column else { return nil }
            let what = green.map { "renames the column \(column) to \($0)" } ?? "drops the column \(column)"
            return Refusal(
                code: code, object: source.description, what: "the change \(what), which the \(object) uses",
                why: "what the \(object) should be afterwards cannot be known",
                fix: green == nil
                    ? fix : "rename the column in a step of its own, which only changes catalogs; or \(fix)")
        }
    }
}
