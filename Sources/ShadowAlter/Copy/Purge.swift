import PgConnection

/// After the last chunk: deletes every spooled key from the shadow, which removes all rows that were copied twice or stale.
///
/// A row that changed while the copy ran may have been met in two versions on two pages, or not at all; its key is in the spool, since the
/// stream was drained after the last chunk. What remains was copied exactly once and has not changed since.
struct Purge: Sendable {
    let record: MigrationRecord
    let control: PgConnection

    /// The phase moves on in the same transaction. Returns how many rows were removed.
    func run() async throws -> Int {
        try await control.transaction { [record] connection in
            // One pass over the shadow, which has no index, against the hashed keys.
            try connection.execute("SET LOCAL enable_nestloop = off; SET LOCAL synchronous_commit = local")
            try connection.query("SELECT set_config('search_path', $1, true)", [.text(record.plan.searchPath)])
            var removed = 0
            for table in record.tables {
                let truncated: Bool = try connection.query(
                    "SELECT truncated_at IS NOT NULL FROM shadow_alter.migrated_table WHERE id = $1", [.int(table.id)]
                ).single().value()
                if truncated {
                    // Refresh would do the same in front of its first batch; until then the rows only cost time.
                    try connection.execute("TRUNCATE \(table.plan.green.sql)")
                    continue
                }
                try connection.execute("ANALYZE \(table.spool.sql)")
                let identities = try StandInIdentity.read(table.greenOID, on: connection)
                for statement in identities.map(\.give) { try connection.execute(statement) }
                removed += try connection.execute(RefreshSQL(table).delete(.all, onlyGone: false)).affectedRows
                for statement in identities.map(\.takeBack) { try connection.execute(statement) }
            }
            try Failpoint.purging.pass()
            try StateStore.setPhase(.indexing, of: record.id, on: connection)
            return removed
        }
    }
}
