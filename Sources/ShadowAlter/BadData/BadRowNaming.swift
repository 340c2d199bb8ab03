import PgConnection

/// Says of a row that was found which one it is, which column is to blame, and what PostgreSQL has against it.
///
/// The session has the tables of `ProbeTable`.
struct BadRowNaming: Sendable {
    let sql: ProbeSQL
    let probe: ProbeTable
    /// The spool that tells which rows were written since the beginning; nil where there is none.
    let spool: QualifiedName?

    /// nil when the row is not there any more, at this place.
    func name(_ place: String, _ error: PgError, on connection: PgConnection) async throws -> BadRow? {
        let columns = try await columns(place, error, on: connection)
        let plan = sql.plan
        let found = try await connection.run { [self] connection in
            try connection.query(sql.describe(place: place, columns: columns, spool: spool)).first.map { row in
                (
                    key: try row.get("key", as: String.self), values: try row.get("values", as: [String].self),
                    written: try row.get("written", as: Bool.self)
                )
            }
        }
        guard let found else { return nil }
        return BadRow(
            table: plan.source.description, key: found.key,
            columns: zip(columns, found.values).map { BadRow.Column(name: plan.columns[$0].name, value: $1) },
            reason: Self.reason(error, plan), origin: found.written ? .written : .existing)
    }

    /// Places in the plan's list of columns.
    private func columns(_ place: String, _ error: PgError, on connection: PgConnection) async throws -> [Int] {
        if let column = error.columnName { return sourceColumns([column]) }
        if let constraint = error.constraintName, let columns = probe.checkedColumns[constraint] {
            return sourceColumns(columns)
        }
        // PostgreSQL does not say which column a value was meant for: each is tried alone.
        for (index, column) in sql.plan.mapping.columns.enumerated() {
            let own = try await connection.failure(of: sql.insert(column: index, place: place))
            if own?.sqlState == error.sqlState { return sourceColumns([column.green]) }
        }
        return []
    }

    private func sourceColumns(_ green: [String]) -> [Int] {
        green.compactMap { name in sql.plan.columns.firstIndex { $0.greenName == name } }
    }

    /// Without the rest of the row, which PostgreSQL puts into the details.
    static func reason(_ error: PgError, _ plan: TablePlan) -> String {
        if error.constraintName == ProbeTable.partitionCheck { return "no partition of the new table takes it" }
        var text = error.message.replacing(
            "relation \"\(ProbeTable.rows.name)\"", with: "relation \"\(plan.green.name)\"")
        if error.isRowConflict, let detail = error.detail { text += " (\(ShortValue.text(detail)))" }
        return ShortValue.text(text)
    }
}

extension PgConnection {
    /// Why a statement fails for what is in the data; nil when it does not fail.
    func failure(of statement: String) throws -> PgError? {
        do {
            try execute(statement)
            return nil
        } catch let error as PgError where error.isAboutData {
            return error
        }
    }
}
