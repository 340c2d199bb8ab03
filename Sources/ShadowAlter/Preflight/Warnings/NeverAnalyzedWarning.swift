import PgConnection

/// Without statistics, the number of rows and the remaining time cannot be estimated.
struct NeverAnalyzedWarning: TableWarning {
    func warnings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [String] {
        // -1 means unknown (src/include/catalog/pg_class.h, PostgreSQL 14+).
        guard
            try table.holds("SELECT reltuples = -1 FROM pg_catalog.pg_class WHERE oid = $1", on: connection)
        else { return [] }
        return [
            "\(table.name) was never analysed, so that the number of its rows and the remaining time are unknown; "
                + "ANALYZE \(table.name); gives estimates"
        ]
    }
}
