import PgConnection

/// What a session may use for building one index. Pure but for `apply`.
struct IndexResources: Sendable, Equatable {
    /// Parallel workers beside the session itself.
    let workers: Int
    /// In kilobytes, an upper bound for `maintenance_work_mem`; nil leaves the server's setting.
    let sortMemory: Int?

    /// - Parameter fairShare: one session's part of what all indexes cost.
    init(_ index: IndexPlan, of table: TablePlan, fairShare: Double) {
        // An index that is several sessions' work would be built alone in the end: it gets helpers. Otherwise there is work for every
        // session, and helpers would only compete with the sessions.
        workers = fairShare > 0 ? max(0, Int(Double(index.cost) / fairShare) - 1) : 0
        // Helpers come only where each has 32 MB (plan_create_index_workers in src/backend/optimizer/plan/planner.c). Other access methods
        // than btree do not sort, or gain from all the memory that they can get.
        sortMemory = workers == 0 && index.definition.contains(" USING btree (") ? Self.sortMemory(of: table) : nil
    }

    /// The least memory with which all sorted runs are still merged in one pass, and half as much again: a smaller run is sorted faster, because
    /// it fits the processor's caches.
    ///
    /// With memory m there are about bytes / m runs, and m / 264 kB of them are merged at once (a tape's buffer, MERGE_BUFFER_SIZE and
    /// TAPE_BUFFER_OVERHEAD in src/backend/utils/sort/tuplesort.c), so that one pass needs m ≥ √(bytes · 264 kB).
    private static func sortMemory(of table: TablePlan) -> Int {
        let bytes = table.estimatedRows.map { Double($0) * bytesPerEntry } ?? Double(table.tableBytes)
        let onePass = (max(0, bytes) * 264 * 1024).squareRoot() * 1.5
        return max(8 * 1024, Int(onePass / 1024))
    }

    /// An index tuple and its entry in the array that is sorted, roughly.
    private static let bytesPerEntry = 48.0

    func apply(on connection: isolated PgConnection) throws {
        try connection.execute("SET max_parallel_maintenance_workers = \(workers); RESET maintenance_work_mem")
        guard let sortMemory else { return }
        try connection.query(
            """
            SELECT set_config('maintenance_work_mem', least($1::bigint, setting::bigint)::text, false)
            FROM pg_settings WHERE name = 'maintenance_work_mem'
            """, [.int(sortMemory)])
    }
}
