import PgConnection

/// Statements that a client prepares once and executes all along, across the cut-over. None of them returns a type that the
/// migration could change: PostgreSQL refuses that ("cached plan must not change result type") after a native ALTER TABLE,
/// too.
///
/// They are executed in the protocol, as drivers do it. SQL's EXECUTE takes its snapshot before it waits for the table's
/// lock, so that it may miss what was committed just before the cut-over; across a native ALTER TABLE that rewrites it finds
/// no row at all.
struct PreparedStatements: Sendable {
    private let statements: Statements
    /// The columns that a prepared update may set.
    let updatable: [Int]
    let canInsert: Bool
    let isUsable: Bool

    init(_ statements: Statements) {
        self.statements = statements
        let table = statements.table
        isUsable = table.allowsPrepared
        updatable = table.positions { $0.kind.isOrdinary && $0.isPreparable }
        canInsert = table.written.allSatisfy { table.columns[$0].isPreparable }
    }

    private var table: WorkloadTable { statements.table }

    private func condition(from number: Int) -> String {
        table.key.enumerated().map { "\(Quoting.identifier($1.name)) = $\(number + $0)" }.joined(separator: " AND ")
    }

    /// What a new session executes first.
    var preparation: [String] {
        guard isUsable else { return [] }
        var all = [
            "PREPARE ledger_select AS SELECT \(CanonicalReading.liveList(table)) FROM \(statements.target) "
                + "WHERE \(condition(from: 1))",
            "PREPARE ledger_delete AS DELETE FROM \(statements.target) WHERE \(condition(from: 1))",
        ]
        for position in updatable {
            all.append(
                "PREPARE ledger_update_\(position) AS UPDATE \(statements.target) "
                    + "SET \(Quoting.identifier(table.columns[position].name)) = $1 WHERE \(condition(from: 2))")
        }
        if canInsert {
            let names = table.key.map(\.name) + table.written.map { table.columns[$0].name }
            let parameters = names.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
            let overriding = table.sequence == nil ? "" : " OVERRIDING SYSTEM VALUE"
            all.append(
                "PREPARE ledger_insert AS INSERT INTO \(statements.target) (\(Quoting.identifiers(names)))\(overriding) "
                    + "VALUES (\(parameters))")
        }
        return all
    }

    func select(_ key: Key) -> Step.Action { .prepared("ledger_select", key.parts) }

    func delete(_ key: Key) -> Step.Action { .prepared("ledger_delete", key.parts) }

    func update(_ key: Key, _ position: Int, _ value: GeneratedValue) -> Step.Action {
        .prepared("ledger_update_\(position)", [value.literal] + key.parts)
    }

    func insert(_ key: Key, _ values: [Int: GeneratedValue]) -> Step.Action {
        .prepared("ledger_insert", key.parts + table.written.map { values[$0]?.literal })
    }
}
