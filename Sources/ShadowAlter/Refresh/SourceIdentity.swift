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
