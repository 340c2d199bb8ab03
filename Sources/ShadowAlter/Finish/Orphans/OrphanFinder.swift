import PgConnection

/// Finds what migrations have left behind. Reads catalogs and the state tables, and changes nothing.
///
/// Ours is what bears a name that only this program gives, and a schema only with the comment that it gives as well (`SchemaMark`).
enum OrphanFinder {
    /// In the order in which they are to be removed: what could harm the primary first.
    static func find(on connection: isolated PgConnection) throws -> [Orphan] {
        // Before the records: whatever is made after its record is seen with it, or not at all.
        let slots = try slots(on: connection)
        let publications = try connection.query(
            "SELECT pubname FROM pg_publication WHERE pubname ~ $1 ORDER BY 1", [.text(StreamName.pattern)]
        ).rows.map { try $0.value(as: String.self) }
        let schemas = try MarkedSchema.read(on: connection)
        let tables = try stateTables(on: connection)
        let records = try Records.read(on: connection)
        let names = Dictionary(
            schemas.map { ($0.mark.streamName, $0.migration) }, uniquingKeysWith: { first, _ in first })

        var orphans = try broken(records, on: connection)
        for slot in slots where !records.streams.contains(slot.name) {
            var slot = slot
            slot.migration = names[slot.name]
            orphans.append(slot)
        }
        orphans += publications.filter { !records.streams.contains($0) }
            .map { Orphan(.publication, $0, migration: names[$0]) }
        for schema in schemas where !records.streams.contains(schema.mark.streamName) {
            var orphan = Orphan(.schema, schema.name, migration: schema.migration)
            orphan.obstacle = try schema.obstacle(on: connection)
            orphans.append(orphan)
        }
        orphans += tables.filter { table in table.number.map { !records.tables.contains($0) } ?? false }
            .map { Orphan(.table, "\(StateSchema.name).\($0.name)") }
        if records.isSchemaUnused { orphans.append(Orphan(.schema, StateSchema.name)) }
        return try guarded(orphans, records, on: connection)
    }

    private static func slots(on connection: isolated PgConnection) throws -> [Orphan] {
        try connection.query(
            """
            SELECT slot_name, database, active_pid, database = current_database() AS here,
                pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                    restart_lsn)::bigint AS retained
            FROM pg_replication_slots WHERE slot_name ~ $1 AND plugin = 'pgoutput' AND NOT temporary
            ORDER BY database = current_database() DESC, 1
            """, [.text(StreamName.pattern)]
        ).rows.compactMap { row in
            let pid: Int32? = try row.optional("active_pid")
            var slot = Orphan(.slot, try row.get("slot_name"))
            let database: String = try row.get("database")
            slot.database = database
            slot.retainedWALBytes = try row.optional("retained")
            if try row.get("here", as: Bool.self) {
                slot.obstacle = pid.map {
                    "session \($0) reads from it: end that first, if it is nobody's (`SELECT pg_terminate_backend(\($0))`)"
                }
            } else {
                // Somebody is at work there, and knows of it.
                guard pid == nil else { return nil }
                slot.obstacle =
                    "it belongs to the database \(database), and only there can be seen whether a migration needs it: `shadow-alter list` there"
            }
            return slot
        }
    }

    private struct StateTable {
        var name: String
        /// Of the migrated table that it was made for; nil: it is of the schema's own.
        var number: Int64?
    }

    private static func stateTables(on connection: isolated PgConnection) throws -> [StateTable] {
        try connection.query(
            """
            SELECT relname, substring(relname FROM '^(?:spool|suspect|parked|kept)_([0-9]{1,18})$')::bigint AS number
            FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND relkind = 'r' ORDER BY 1
            """, [.text(StateSchema.name)]
        ).rows.map { StateTable(name: try $0.get("relname"), number: try $0.optional("number")) }
    }

    /// Migrations whose tables somebody has dropped.
    private static func broken(_ records: Records, on connection: isolated PgConnection) throws -> [Orphan] {
        guard records.areComplete else { return [] }
        return try connection.query(
            """
            SELECT m.name, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint AS retained FROM shadow_alter.migration m
            LEFT JOIN pg_replication_slots s ON s.slot_name = m.stream_name
            WHERE m.forward_id IS NULL AND m.phase <> ALL ($1::text[]) AND EXISTS (
                SELECT FROM shadow_alter.migrated_table t WHERE t.migration_id = m.id
                    AND 2 > (SELECT count(*) FROM pg_class c WHERE c.oid IN (t.source_oid, t.green_oid)))
            ORDER BY m.id
            """, [.array([Phase.baking, .done, .rolledBack].map(\.rawValue))]
        ).rows.map { row in
            let name: String = try row.get("name")
            var orphan = Orphan(.migration, name, migration: name)
            orphan.retainedWALBytes = try row.optional("retained")
            return orphan
        }
    }

    /// A run that lives although its record is gone notices that within seconds, and ends. Until then nothing is taken from it.
    private static func guarded(
        _ orphans: [Orphan], _ records: Records, on connection: isolated PgConnection
    ) throws -> [Orphan] {
        guard let session = try TableLock.stranger(besides: records.sources, on: connection) else { return orphans }
        return orphans.map { orphan in
            var orphan = orphan
            if orphan.obstacle == nil, orphan.kind != .migration {
                orphan.obstacle =
                    "a run is alive that no record belongs to (session \(session)): wait until it has ended, or end it (`SELECT pg_terminate_backend(\(session))`)"
            }
            return orphan
        }
    }
}

/// What the state tables know. All of them are needed to continue anything.
private struct Records {
    var hasSchema = false
    var areComplete = false
    var count = 0
    var streams: Set<String> = []
    var tables: Set<Int64> = []
    var sources: Set<UInt32> = []

    var isSchemaUnused: Bool { hasSchema && count == 0 }

    static func read(on connection: isolated PgConnection) throws -> Records {
        var records = Records()
        let row = try connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS schema,
                (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname IN ('migration', 'migrated_table', 'chunk')
                    AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)) AS tables
            """, [.text(StateSchema.name)]
        ).single()
        records.hasSchema = try row.get("schema")
        records.areComplete = try row.get("tables", as: Int.self) == 3
        guard records.areComplete else { return records }
        let streams: [String] = try connection.query("SELECT stream_name FROM shadow_alter.migration").rows
            .map { try $0.value() }
        records.count = streams.count
        records.streams = Set(streams)
        for row in try connection.query("SELECT id, source_oid FROM shadow_alter.migrated_table").rows {
            records.tables.insert(try row.get("id"))
            records.sources.insert(try row.get("source_oid"))
        }
        return records
    }
}

/// A schema that bears our mark.
private struct MarkedSchema {
    let name: String
    let mark: SchemaMark
    let migration: String

    static func read(on connection: isolated PgConnection) throws -> [MarkedSchema] {
        try connection.query(
            """
            SELECT nspname, obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace
            WHERE nspname LIKE '%\\_green' OR nspname LIKE '%\\_blue' ORDER BY nspname DESC
            """
        ).rows.compactMap { row in
            let name: String = try row.get("nspname")
            guard let comment: String = try row.optional("comment"), let mark = SchemaMark(comment: comment),
                name.hasSuffix(mark.kind.suffix)
            else { return nil }
            return MarkedSchema(name: name, mark: mark, migration: String(name.dropLast(mark.kind.suffix.count)))
        }
    }

    /// New tables are copies. Old ones are what was live before an exchange, and whether somebody still needs them is not ours to judge.
    func obstacle(on connection: isolated PgConnection) throws -> String? {
        switch mark.kind {
        case .blue:
            let count: Int = try connection.query(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')",
                [.text(name)]
            ).single().value()
            guard count > 0 else { return nil }
            return
                "it holds \(count) old table(s), which were live before the exchange: DROP SCHEMA \(Quoting.identifier(name)) CASCADE, when nobody needs them"
        case .green:
            let dependants = try Self.dependants(of: name, on: connection)
            guard !dependants.isEmpty else { return nil }
            return
                "\(dependants.prefix(3).joined(separator: ", ")) depends on what is in it: drop or move that, or look whether the live table is in there"
        }
    }

    /// Objects outside of the schema that need something inside.
    private static func dependants(of schema: String, on connection: isolated PgConnection) throws -> [String] {
        try connection.query(
            """
            WITH RECURSIVE member (classid, objid) AS (
                SELECT 'pg_class'::regclass::oid, oid FROM pg_class WHERE relnamespace = $1::text::regnamespace
                UNION SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = $1::text::regnamespace
                UNION SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = $1::text::regnamespace
                UNION SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE connamespace = $1::text::regnamespace
                UNION SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxnamespace = $1::text::regnamespace
                UNION SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r JOIN member m ON m.objid = r.ev_class AND m.classid = 'pg_class'::regclass
            ), part (classid, objid) AS (
                TABLE member
                UNION SELECT 'pg_attrdef'::regclass, d.oid FROM pg_attrdef d JOIN member m ON m.objid = d.adrelid AND m.classid = 'pg_class'::regclass
                UNION SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t JOIN member m ON m.objid = t.tgrelid AND m.classid = 'pg_class'::regclass
                UNION SELECT 'pg_policy'::regclass, p.oid FROM pg_policy p JOIN member m ON m.objid = p.polrelid AND m.classid = 'pg_class'::regclass
            )
            SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d JOIN part p ON p.classid = d.refclassid AND p.objid = d.refobjid
            WHERE d.deptype IN ('n', 'a') AND (d.classid, d.objid) NOT IN (TABLE part)
                AND NOT EXISTS (SELECT FROM pg_class t WHERE d.classid = 'pg_class'::regclass AND t.oid = d.objid AND t.relnamespace = 'pg_toast'::regnamespace)
                AND NOT EXISTS (SELECT FROM pg_publication_rel r WHERE d.classid = 'pg_publication_rel'::regclass AND r.oid = d.objid)
            ORDER BY 1
            """, [.text(Quoting.identifier(schema))]
        ).rows.map { try $0.value() }
    }
}
