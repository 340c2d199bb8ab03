import PgConnection

extension Dependants {
    /// Throws `sourceChanged` when what hangs on the tables is not what was planned for, `CompatViewsInUse` when that is in the way. Inside a transaction.
    static func compare(_ record: MigrationRecord, on connection: isolated PgConnection) throws {
        let planned = record.plan.dependants
        let present: [Dependant]
        do {
            present = try read(
                MigratedTable.all(of: record.plan, greenOIDs: record.tables.map(\.greenOID), on: connection),
                on: connection)
        } catch let refused as Refused {
            throw changed(record, refused.description)
        }
        guard present != planned else { return }
        let gone = planned.filter { !present.contains($0) }.map(\.name)
        let new = present.filter { !planned.contains($0) }.map(\.name)
        throw changed(record, Set(gone + new).sorted().joined(separator: ", "))
    }

    private static func changed(_ record: MigrationRecord, _ what: String) -> MigrationError {
        let tables = record.plan.tables.map(\.source.description).joined(separator: ", ")
        return .sourceChanged(record, "what hangs on \(tables) is not as it was planned for: \(what)")
    }
}

extension MigrationError {
    static func sourceChanged(_ record: MigrationRecord, _ message: String) -> Self {
        Self(
            .sourceChanged, message, state: "the attempt was rolled back, no live table was touched by it",
            advice: "change it back and run again, or `shadow-alter abort \(record.name)` and start anew")
    }
}
