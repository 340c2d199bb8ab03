import FoundationEssentials
import PgConnection

/// Reads and writes the state tables. Every method runs inside the caller's transaction.
enum StateStore {
    /// Records a new migration and creates what its tables need beside them: spools, and a place for what the verification finds.
    static func insert(_ plan: MigrationPlan, streamName: String, on connection: isolated PgConnection) throws {
        let id: Int64 = try connection.query(
            "INSERT INTO shadow_alter.migration (name, phase, stream_name, plan) VALUES ($1, $2, $3, $4) RETURNING id",
            [.text(plan.name), .text(Phase.planned.rawValue), .text(streamName), .text(try encode(plan))]
        ).single().value()
        for (position, table) in plan.tables.enumerated() {
            let greenOID: UInt32 = try connection.query("SELECT $1::text::regclass::oid", [.text(table.green.sql)])
                .single().value()
            try insert(table, of: id, at: position, greenOID: greenOID, on: connection)
        }
    }

    /// Returns the table's number.
    @discardableResult
    static func insert(
        _ table: TablePlan, of id: Int64, at position: Int, greenOID: UInt32, on connection: isolated PgConnection
    ) throws -> Int64 {
        let tableID: Int64 = try connection.query(
            """
            INSERT INTO shadow_alter.migrated_table (migration_id, position, source_oid, green_oid) VALUES ($1, $2, $3, $4) RETURNING id
            """, [.int(id), .int(position), .int(table.sourceOID), .int(greenOID)]
        ).single().value()
        try connection.execute(SpoolSQL.create(StateSchema.spool(tableID: tableID), for: table))
        try connection.execute(VerifySQL.create(StateSchema.suspects(tableID: tableID), for: table))
        return tableID
    }

    static func find(_ name: String, on connection: isolated PgConnection) throws -> MigrationRecord? {
        guard try StateSchema.exists(on: connection) else { return nil }
        return try find("name = $1 AND forward_id IS NULL", .text(name), on: connection)
    }

    static func find(id: Int64, on connection: isolated PgConnection) throws -> MigrationRecord? {
        try find("id = $1", .int(id), on: connection)
    }

    /// The way back of a migration; nil when none was prepared.
    static func wayBack(of id: Int64, on connection: isolated PgConnection) throws -> MigrationRecord? {
        try find("forward_id = $1", .int(id), on: connection)
    }

    private static func find(
        _ condition: String, _ value: PgParameter, on connection: isolated PgConnection
    ) throws -> MigrationRecord? {
        try connection.query(
            "SELECT id, name, forward_id, phase, stream_name, plan, settled FROM shadow_alter.migration WHERE \(condition)",
            [value]
        ).first.map { try record($0, on: connection) }
    }

    /// The same outside of a transaction, where somebody may remove the tables between two questions: then there is none.
    static func look(_ name: String, on connection: isolated PgConnection) throws -> MigrationRecord? {
        do {
            return try find(name, on: connection)
        } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
            return nil
        }
    }

    /// The names of all migrations, oldest first.
    static func names(on connection: isolated PgConnection) throws -> [String] {
        guard try StateSchema.exists(on: connection) else { return [] }
        return try connection.query("SELECT name FROM shadow_alter.migration WHERE forward_id IS NULL ORDER BY id").rows
            .map { try $0.value() }
    }

    /// The migration whose old tables are in the schema. Asked of any table's migration, so that no other plan has to be understood.
    static func name(ofBlue schema: String, on connection: isolated PgConnection) throws -> String? {
        guard try StateSchema.exists(on: connection) else { return nil }
        return try connection.query(
            """
            SELECT name FROM shadow_alter.migration
            WHERE forward_id IS NULL AND plan ->> 'blueSchema' = $1 AND phase = ANY ($2::text[])
            """, [.text(schema), .array(Phase.allCases.filter(\.isAfterSwap).map(\.rawValue))]
        ).first?.value()
    }

    private static func record(_ row: PgRow, on connection: isolated PgConnection) throws -> MigrationRecord {
        let id: Int64 = try row.get("id")
        let plan: MigrationPlan = try decode(row.get("plan"), of: row.get("name"))
        let phaseName: String = try row.get("phase")
        guard let phase = Phase(rawValue: phaseName) else {
            throw MigrationError(
                .inconsistent, "migration \(plan.name) is in the phase \(phaseName), which this version does not know",
                state: "nothing was changed", advice: "use the version of shadow-alter that started this migration")
        }
        let tables = try connection.query(
            """
            SELECT id, position, green_oid, source_filenode, source_pages
            FROM shadow_alter.migrated_table WHERE migration_id = $1 ORDER BY position
            """, [.int(id)]
        ).rows.map { row in
            let filenode: UInt32? = try row.optional("source_filenode")
            let pages: Int64? = try row.optional("source_pages")
            return TableRecord(
                id: try row.get("id"), plan: plan.tables[try row.get("position", as: Int.self)],
                greenOID: try row.get("green_oid"),
                file: filenode.flatMap { filenode in pages.map { SourceFile(filenode: filenode, pages: $0) } })
        }
        return MigrationRecord(
            id: id, plan: plan, phase: phase, streamName: try row.get("stream_name"), tables: tables,
            isSettled: try row.get("settled"), forwardID: try row.optional("forward_id"))
    }

    static func setPhase(_ phase: Phase, of id: Int64, on connection: isolated PgConnection) throws {
        let updated = try connection.query(
            """
            UPDATE shadow_alter.migration SET phase = $2,
                ended_at = CASE WHEN $3 THEN coalesce(ended_at, clock_timestamp()) END WHERE id = $1
            """, [.int(id), .text(phase.rawValue), .bool(phase.isAfterSwap)])
        guard updated.affectedRows == 1 else {
            throw MigrationError(
                .inconsistent, "the state of this migration is gone from shadow_alter.migration",
                state: "the step that was to be recorded is rolled back",
                advice: "somebody removed it while the tool was running; `shadow-alter list` shows what is left")
        }
    }

    /// From here on the shadow has every row; a snapshot from before may lack some, or all.
    static func setComplete(_ id: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            """
            UPDATE shadow_alter.migration
            SET complete_horizon = pg_snapshot_xmax(pg_current_snapshot()), complete_at = clock_timestamp() WHERE id = $1
            """, [.int(id)])
    }

    static func setMessage(_ message: String, of id: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            "UPDATE shadow_alter.migration SET message = $2 WHERE id = $1", [.int(id), connection.note(message)])
    }

    static func setSettled(_ settled: Bool, of id: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            "UPDATE shadow_alter.migration SET settled = $2 WHERE id = $1", [.int(id), .bool(settled)])
    }

    static func setFile(_ file: SourceFile, of tableID: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            "UPDATE shadow_alter.migrated_table SET source_filenode = $2, source_pages = $3 WHERE id = $1",
            [.int(tableID), .int(file.filenode), .int(file.pages)])
    }

    static func encode(_ plan: MigrationPlan) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(plan), as: UTF8.self)
    }

    private static func decode(_ text: String, of name: String) throws -> MigrationPlan {
        do {
            return try JSONDecoder().decode(MigrationPlan.self, from: Data(text.utf8))
        } catch {
            throw MigrationError(
                .inconsistent,
                "the plan of migration \(name), as it is recorded in shadow_alter.migration, cannot be read: \(error)",
                state: "nothing was changed", advice: "use the version of shadow-alter that started this migration")
        }
    }
}
