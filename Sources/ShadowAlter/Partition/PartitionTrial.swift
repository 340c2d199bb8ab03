import PgConnection

/// Attaches the empty new table to an empty copy of the partitioned table, to learn what PostgreSQL will say of it at the cut-over; then
/// takes everything back. Takes ACCESS SHARE on the partitioned table and its default partition.
struct PartitionTrial {
    let source: QualifiedName
    let sourceOID: UInt32
    let green: QualifiedName
    let greenOID: UInt32
    let membership: PartitionMembership

    private var parent: QualifiedName { QualifiedName(schema: green.schema, name: "shadow_alter_parent") }
    private var defaultCopy: QualifiedName { QualifiedName(schema: green.schema, name: "shadow_alter_default") }

    /// So much of a default partition is read under the lock without anybody noticing.
    static let bytesToScan: Int64 = 8 << 20

    /// Throws `Refused` when the new table cannot take the old one's place in the tree, or could not without reading rows under the lock.
    func run(on connection: isolated PgConnection) throws {
        try connection.execute("SAVEPOINT shadow_alter_partition")
        try createParent(on: connection)
        let indexes = try createIndexes(on: connection)
        if let partition = membership.defaultPartition { try attachDefault(partition, on: connection) }
        let own = try connection.query(
            "SELECT indexrelid FROM pg_index WHERE indrelid = $1 ORDER BY 1", [.int(greenOID)]
        ).rows.map { try $0.value(as: UInt32.self) }
        let before = try scans(on: connection)
        try attach(on: connection)
        let after = try scans(on: connection)
        for index in indexes { try check(index, own: own, on: connection) }
        try checkScans(before, after, on: connection)
        try connection.execute("ROLLBACK TO SAVEPOINT shadow_alter_partition; RELEASE SAVEPOINT shadow_alter_partition")
    }

    private func createParent(on connection: isolated PgConnection) throws {
        let key: String = try connection.query(
            "SELECT pg_get_partkeydef($1::oid)", [.int(membership.parentOID)]
        ).single().value()
        try connection.execute(
            """
            CREATE TABLE \(parent.sql) (LIKE \(membership.parent.sql) INCLUDING CONSTRAINTS INCLUDING GENERATED)
            PARTITION BY \(key)
            """)
    }

    /// An index of the partitioned table, its copy, and what hangs on it in the table that is migrated.
    private struct PartitionedIndex {
        var name: String
        var copy: QualifiedName
        /// The source's index that is attached to it.
        var partition: String?
        var isConstraint: Bool
    }

    private func createIndexes(on connection: isolated PgConnection) throws -> [PartitionedIndex] {
        let rows = try connection.query(
            """
            SELECT c.relname, pg_get_indexdef(i.indexrelid) AS definition, k.oid IS NOT NULL AS is_constraint,
                pg_get_constraintdef(k.oid) AS condef,
                format('CREATE %sINDEX %I ON ONLY %I.%I ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname, n.nspname,
                    t.relname) AS head,
                CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END AS uniqueness,
                (SELECT a.relname FROM pg_inherits h JOIN pg_index x ON x.indexrelid = h.inhrelid AND x.indrelid = $2::oid
                 JOIN pg_class a ON a.oid = x.indexrelid WHERE h.inhparent = i.indexrelid) AS attached
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
            JOIN pg_namespace n ON n.oid = t.relnamespace
            LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
            WHERE i.indrelid = $1::oid AND c.relkind = 'I' ORDER BY i.indexrelid
            """, [.int(membership.parentOID), .int(sourceOID)]
        ).rows
        return try rows.enumerated().map { position, row in
            let name: String = try row.get("relname")
            let copy = QualifiedName(schema: green.schema, name: "shadow_alter_index_\(position)")
            let quoted = Quoting.identifier(copy.name)
            if let constraint: String = try row.optional("condef") {
                try connection.execute("ALTER TABLE \(parent.sql) ADD CONSTRAINT \(quoted) \(constraint)")
            } else {
                let definition: String = try row.get("definition")
                let head: String = try row.get("head")
                guard definition.hasPrefix(head) else {
                    throw MigrationError(
                        .inconsistent, "the definition of index \(name) does not begin as expected: \(definition)",
                        state: "nothing was changed",
                        advice: "this is a bug: please report it with the server's version")
                }
                try connection.execute(
                    """
                    CREATE \(try row.get("uniqueness", as: String.self))INDEX \(quoted) ON \(parent.sql)
                    \(definition.dropFirst(head.count))
                    """)
            }
            return PartitionedIndex(
                name: name, copy: copy, partition: try row.optional("attached"),
                isConstraint: try row.get("is_constraint"))
        }
    }

    private func attachDefault(
        _ partition: PartitionMembership.DefaultPartition, on connection: isolated PgConnection
    ) throws {
        try connection.execute("CREATE TABLE \(defaultCopy.sql) (LIKE \(partition.name.sql) INCLUDING GENERATED)")
        let checks = try ConstraintReader.checks(of: partition.oid, on: connection)
        for check in checks where !check.definition.hasSuffix(" NOT VALID") {
            try connection.execute(check.add(to: defaultCopy))
        }
        try connection.execute("ALTER TABLE \(parent.sql) ATTACH PARTITION \(defaultCopy.sql) DEFAULT")
    }

    private func attach(on connection: isolated PgConnection) throws {
        do {
            try connection.execute(
                "ALTER TABLE \(parent.sql) ATTACH PARTITION \(green.sql) \(membership.bound)")
        } catch let error as PgError {
            guard error.sqlState != nil, error.sqlState != .lockNotAvailable else { throw error }
            throw refused(
                "with this change PostgreSQL would not take it as a partition of \(membership.parent)",
                error.message + (error.detail.map { " (\($0))" } ?? ""),
                "change the whole partitioned table: --table \(membership.parent)")
        }
    }

    /// ATTACH must find an index of the new table for each of the partitioned table's; it would build one under the lock. And it must find
    /// the same as is attached now. What counts for it stands in CompareIndexInfo (src/backend/catalog/index.c).
    private func check(_ index: PartitionedIndex, own: [UInt32], on connection: isolated PgConnection) throws {
        guard index.partition != nil else {
            throw refused(
                "none of its indexes is attached to the index \(index.name) of \(membership.parent), which is invalid",
                "PostgreSQL would build or attach one under the lock",
                "complete that index by ALTER INDEX … ATTACH PARTITION, or drop it")
        }
        let row = try connection.query(
            """
            WITH x AS (
                SELECT c.oid, c.relname, EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid AND inhparent = $2::text::regclass) AS chosen,
                    EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid AND conrelid = i.indrelid) OR NOT $3::bool AS eligible,
                    row(c.relam, i.indisunique, to_jsonb(i) -> 'indnullsnotdistinct', i.indnatts, i.indnkeyatts, i.indkey::text,
                        i.indcollation::text, i.indclass::text, pg_get_expr(i.indpred, i.indrelid),
                        pg_get_expr(i.indexprs, i.indrelid))::text AS signature
                FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::oid)
            SELECT c.oid, string_agg(x.relname, ', ' ORDER BY x.relname) AS names, count(*) AS count
            FROM x JOIN x c ON c.chosen AND x.eligible AND x.signature = c.signature GROUP BY c.oid
            """, [.int(greenOID), .text(index.copy.sql), .bool(index.isConstraint)]
        ).single()
        guard try own.contains(row.get("oid")) else {
            throw refused(
                "after the change it has no index that could be attached to \(index.name) of \(membership.parent)",
                "PostgreSQL would build one under the lock",
                "keep the index that is attached to it, or change the whole partitioned table")
        }
        guard try row.get("count", as: Int.self) == 1 else {
            throw refused(
                "its indexes \(try row.get("names", as: String.self)) are alike, and one of them is attached to \(index.name) of "
                    + "\(membership.parent)",
                "PostgreSQL would attach one or the other to it", "drop the one that is not needed")
        }
    }

    /// How often the new table and the default partition's copy have been read so far; nil where nobody counts.
    private struct Scans: Equatable {
        var green: Int64
        var defaultCopy: Int64
    }

    private func scans(on connection: isolated PgConnection) throws -> Scans? {
        let row = try connection.query(
            """
            SELECT current_setting('track_counts')::bool AS counts, coalesce(pg_stat_get_xact_numscans($1::oid), 0) AS green,
                coalesce(pg_stat_get_xact_numscans(to_regclass($2)), 0) AS default_copy
            """, [.int(greenOID), .text(defaultCopy.sql)]
        ).single()
        guard try row.get("counts") else { return nil }
        return Scans(green: try row.get("green"), defaultCopy: try row.get("default_copy"))
    }

    private func checkScans(_ before: Scans?, _ after: Scans?, on connection: isolated PgConnection) throws {
        // A hash partition's constraint names the partitioned table by its OID, which its copy does not have.
        if !membership.bound.hasPrefix("FOR VALUES WITH"), let before, let after, before.green != after.green {
            throw refused(
                "PostgreSQL does not take the CHECK (\(membership.constraint ?? "")) as a proof that its rows belong into the partition",
                "it would read all rows under the lock", "use ALTER TABLE, or migrate the whole partitioned table")
        }
        guard let partition = membership.defaultPartition, partition.bytes > Self.bytesToScan else { return }
        guard before == nil || after == nil || before?.defaultCopy != after?.defaultCopy else { return }
        let own: String = try connection.query(
            "SELECT pg_get_partition_constraintdef($1::oid)", [.int(greenOID)]
        ).single().value()
        let add = "ALTER TABLE \(partition.name.sql) ADD CONSTRAINT not_elsewhere CHECK (NOT (\(own))) NOT VALID"
        throw Refused([
            Refusal(
                code: "default-partition", object: source.description,
                what:
                    "\(membership.parent) has the default partition \(partition.name), of \(ByteCount(partition.bytes))",
                why:
                    "when a partition is attached, PostgreSQL reads all of the default one, under the lock, unless a CHECK proves that no "
                    + "row of it belongs elsewhere",
                fix:
                    "\(add); ALTER TABLE \(partition.name.sql) VALIDATE CONSTRAINT not_elsewhere;  -- not needed any more after the cut-over"
            )
        ])
    }

    private func refused(_ what: String, _ why: String, _ fix: String) -> Refused {
        Refused([Refusal(code: "partition-mismatch", object: source.description, what: what, why: why, fix: fix)])
    }
}
