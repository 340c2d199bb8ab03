import PgConnection

/// Puts the plan of one partitioned table together.
struct ParentPlanBuilder {
    let tried: TriedTable

    func build(on connection: isolated PgConnection) throws -> (ParentPlan, warnings: [String]) {
        let clone = tried.clone
        let (sequences, warnings) = try SequenceReader(tried).read(on: connection)
        let plan = ParentPlan(
            source: clone.source, sourceOID: clone.sourceOID, green: clone.green, depth: clone.table.depth,
            columns: tried.tracker.columns, sequences: sequences,
            fingerprint: try CatalogFingerprint.digest(of: clone.sourceOID, publication: nil, on: connection))
        return (plan, warnings)
    }
}
