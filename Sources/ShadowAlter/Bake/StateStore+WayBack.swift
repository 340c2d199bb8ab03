import PgConnection

extension StateStore {
    /// Records the way back of a migration whose tables are about to be exchanged, with what it needs to follow from the exchange's commit on.
    /// The same as before where that is recorded already.
    static func prepareWayBack(
        of record: MigrationRecord, on connection: isolated PgConnection
    ) throws -> MigrationRecord {
        if let existing = try wayBack(of: record.id, on: connection) { return existing }
        let parents: [UInt32] = try record.plan.parents.map { parent in
            try connection.query("SELECT $1::text::regclass::oid", [.text(parent.green.sql)]).single().value()
        }
        let plan = try WayBack.plan(
            record.plan, liveOIDs: record.tables.map(\.greenOID), parentOIDs: parents)
        let id: Int64 = try connection.query(
            """
            INSERT INTO shadow_alter.migration (name, forward_id, phase, stream_name, plan, settled, reason)
            VALUES ($1 || ' (way back)', $2, $3, $4, $5, false, 'the old tables are still behind') RETURNING id
            """,
            [
                .text(plan.name), .int(record.id), .text(Phase.planned.rawValue), .text(record.streamName),
                .text(try encode(plan)),
            ]
        ).single().value()
        for (position, (forward, back)) in zip(record.tables, plan.tables).enumerated() {
            // Under the names that they still have.
            var table = back
            (table.source, table.green) = (forward.plan.green, forward.plan.source)
            let tableID = try insert(
                table, of: id, at: position, greenOID: forward.plan.sourceOID, on: connection)
            if let kept = KeptSQL(place: StateSchema.kept(tableID: tableID), for: table) {
                try connection.execute(kept.create)
            }
            try connection.execute(ParkedSQL.create(StateSchema.parked(tableID: tableID), for: table))
        }
        guard let made = try wayBack(of: record.id, on: connection) else {
            throw MigrationError(
                .inconsistent, "the way back that was just recorded cannot be read back", state: "nothing was kept",
                advice: "look at row-level security or rules on the tables of the schema shadow_alter")
        }
        return made
    }

    /// Replaces the plan, by one that was made from the catalogs as they are now.
    static func setPlan(_ plan: MigrationPlan, of id: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            "UPDATE shadow_alter.migration SET plan = $2 WHERE id = $1", [.int(id), .text(try encode(plan))])
    }

    /// - Parameter duration: from now on; nil: until `finalize`.
    static func beginBake(for duration: Duration?, of id: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            "UPDATE shadow_alter.migration SET bake_until = clock_timestamp() + make_interval(secs => $2::float8) WHERE id = $1",
            [.int(id), duration.map { .double($0.seconds) } ?? .null])
    }

    /// The same for a bake that is under way.
    ///
    /// - Parameter duration: from the exchange on.
    static func setBake(for duration: Duration?, of id: Int64, on connection: isolated PgConnection) throws {
        try connection.query(
            "UPDATE shadow_alter.migration SET bake_until = ended_at + make_interval(secs => $2::float8) WHERE id = $1",
            [.int(id), duration.map { .double($0.seconds) } ?? .null])
    }

    /// Whether the bake's time is over; it never is until `finalize` where none was set.
    static func isBaked(_ id: Int64, on connection: isolated PgConnection) throws -> Bool {
        try connection.query(
            "SELECT coalesce(bake_until <= clock_timestamp(), false) FROM shadow_alter.migration WHERE id = $1",
            [.int(id)]
        ).first?.value() ?? true
    }

    /// Why a migration that bakes cannot be rolled back now, as its run has noted it last; nil: it can.
    static func rollbackObstacle(of id: Int64, on connection: isolated PgConnection) throws -> String? {
        let row = try connection.query(
            "SELECT reason FROM shadow_alter.migration WHERE forward_id = $1", [.int(id)]
        ).first
        guard let row else { return "there is no record of the way back" }
        return try row.optional("reason")
    }

    static func setRollbackObstacle(_ obstacle: String?, of wayBack: Int64, on connection: isolated PgConnection) throws
    {
        try connection.query(
            "UPDATE shadow_alter.migration SET reason = $2 WHERE id = $1", [.int(wayBack), connection.note(obstacle)])
    }
}
