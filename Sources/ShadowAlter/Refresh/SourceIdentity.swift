import PgConnection

/// That a table's name still stands for the table that the migration was planned for.
///
/// Rows are read by name. Somebody who renames the table and gives its name to another one, if only for a while, would have us read that one, without
/// a word in the stream.
struct SourceIdentity: Sendable {
    /// The name stands for another table, or for none.
    struct Lost: Error {
        let source: QualifiedName
    }

    let plan: TablePlan

    /// Throws `Lost`. To be called in a transaction that has locked what it reads by that name: then the answer holds for everything that it has
    /// read, because whoever renames a table has to wait for the lock.
    func check(on connection: isolated PgConnection) throws {
        let isSame: Bool = try connection.query(
            "SELECT coalesce(to_regclass($1)::oid = $2::oid, false)", [.text(plan.source.sql), .int(plan.sourceOID)]
        ).single().value()
        guard isSame else { throw Lost(source: plan.source) }
    }
}

extension MigrationError {
    /// What somebody has dropped or renamed, when that is why an error came about; nil: it came about otherwise.
    static func explaining(
        _ error: any Error, _ record: MigrationRecord, on connection: isolated PgConnection
    ) throws -> MigrationError? {
        let isAboutNames =
            (error as? PgError)?.sqlState?.isAboutAMissingObject == true || error is SourceIdentity.Lost
            || (error as? MigrationError)?.code == .sourceChanged
        guard isAboutNames else { return nil }
        for table in record.tables {
            let row = try connection.query(
                """
                SELECT $1::oid::regclass::text AS name, EXISTS (SELECT FROM pg_class WHERE oid = $1::oid) AS source,
                    to_regclass($2)::oid IS NOT DISTINCT FROM $1::oid AS same, EXISTS (SELECT FROM pg_class WHERE oid = $3::oid) AS green
                """, [.int(table.plan.sourceOID), .text(table.plan.source.sql), .int(table.greenOID)]
            ).single()
            if try !row.get("source", as: Bool.self) {
                return lost(record, "the table \(table.plan.source) was dropped by somebody else")
            }
            if try !row.get("same", as: Bool.self) {
                return lost(
                    record,
                    "the table \(table.plan.source) has another name now, \(try row.get("name", as: String.self)), given by somebody else",
                    "give it its name back and run again, or ")
            }
            if try !row.get("green", as: Bool.self) {
                return lost(record, "the new table \(table.plan.green) was dropped by somebody else")
            }
        }
        guard let error = error as? SourceIdentity.Lost else { return nil }
        return lost(
            record,
            "the name \(error.source) stood for another table for a while, which somebody else had put in its place")
    }

    private static func lost(_ record: MigrationRecord, _ what: String, _ wayOut: String = "") -> MigrationError {
        MigrationError(
            .sourceChanged, what, state: "what was copied and recorded is kept; no live table was touched by the run",
            advice: "\(wayOut)`shadow-alter abort \(record.name)` and start anew")
    }
}
