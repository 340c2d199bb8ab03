import PgConnection

/// The relation is an ordinary table.
struct RelationKindCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        guard let (code, what, fix) = Self.verdict(on: table.kind) else { return [] }
        return [
            Finding(
                Refusal(
                    code: code, object: table.name, what: what, why: "this version migrates ordinary tables only",
                    fix: fix))
        ]
    }

    /// For each `pg_class.relkind` except `r`; nil for that.
    private static func verdict(on kind: String) -> (code: String, what: String, fix: String)? {
        switch kind {
        case "r": nil
        case "p":
            (
                "partitioned-table", "is a partitioned table",
                "this version does not migrate partitioned tables; use ALTER TABLE, or wait for a version that does"
            )
        case "v": ("view", "is a view", "name the table behind it; a view is replaced by CREATE OR REPLACE VIEW")
        case "m":
            (
                "materialized-view", "is a materialised view",
                "name the table behind it; a materialised view is dropped and created anew"
            )
        case "f": ("foreign-table", "is a foreign table", "migrate the table on the server where its rows are")
        case "S": ("sequence", "is a sequence", "name the table that uses it; a sequence is changed by ALTER SEQUENCE")
        case "i", "I": ("index", "is an index", "name its table; an index is rebuilt by REINDEX CONCURRENTLY")
        case "c": ("composite-type", "is a composite type", "name a table; a type is changed by ALTER TYPE")
        case "t": ("toast-table", "is the TOAST table of another table", "name that table")
        default: ("not-a-table", "is a relation of the unknown kind \(kind)", "name an ordinary table")
        }
    }
}
