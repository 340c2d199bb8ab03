import PgConnection

/// A table, and the empty copy of its definition on which the change is tried and which becomes the new table.
struct ClonedTable: Sendable {
    let table: PlannedTable
    let green: QualifiedName
    /// Another one once the script has put another table in its place.
    var greenOID: UInt32

    var source: QualifiedName { table.source }
    var sourceOID: UInt32 { table.sourceOID }

    /// Clones a table into the green schema. One pair for an ordinary table; for a partitioned one it comes first, then what is below it.
    static func clone(
        _ table: PlannedTable, into greenSchema: String, on connection: isolated PgConnection
    ) throws -> [ClonedTable] {
        if table.isPartitioned { return try TreeClone(root: table, greenSchema: greenSchema).create(on: connection) }
        let green = QualifiedName(schema: greenSchema, name: table.source.name)
        let oid = try TableClone(source: table.source, sourceOID: table.sourceOID, green: green).create(on: connection)
        return [ClonedTable(table: table, green: green, greenOID: oid)]
    }
}
