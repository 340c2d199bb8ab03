import PgConnection

/// Finds the dependants of one kind.
protocol DependantReader: Sendable {
    /// In the order in which they are restored. Runs with an empty `search_path`, so that what PostgreSQL prints is qualified.
    ///
    /// Throws `Refused` for what cannot be carried over, by name.
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant]
}

/// What is known of a migrated table once the change has been tried on its clone.
struct MigratedTable: Sendable {
    let source: QualifiedName
    let sourceOID: UInt32
    let green: QualifiedName
    let greenOID: UInt32
    let columns: [ColumnPlan]

    init(_ plan: TablePlan, greenOID: UInt32) {
        source = plan.source
        sourceOID = plan.sourceOID
        green = plan.green
        self.greenOID = greenOID
        columns = plan.columns
    }

    /// The name that the new table will have.
    var live: QualifiedName { QualifiedName(schema: source.schema, name: green.name) }
}

enum Dependants {
    /// One reader per kind, in the order in which the kinds are restored. To add a kind: a reader, and its line here.
    static let readers: [any DependantReader] = [
        PartitionReader()
    ]

    /// All dependants of the tables, in the order in which they are restored; they are removed in the opposite order.
    static func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        let path: String = try connection.query("SELECT current_setting('search_path')").single().value()
        try connection.query("SELECT set_config('search_path', '', true)")
        let found = try readers.flatMap { try $0.read(tables, on: connection) }
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(path)])
        return found
    }
}
