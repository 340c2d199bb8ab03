import PgConnection
import PgReplication

/// Removes what a migration has made and no longer needs. Every step may be repeated, in case the one before it was interrupted.
enum Leftovers {
    /// How long a removal waits behind a lock of somebody's before it is given up.
    private static let lockTimeout = "5s"

    /// The slot first: it is the only thing that could harm the primary if the rest fails.
    static func removeStream(_ record: MigrationRecord, on connection: PgConnection) async throws {
        try await removeSlot(record, on: connection)
        try await Publication.drop(name: record.streamName, on: connection)
        try Failpoint.publicationDropped.pass()
    }

    /// A walsender that has lost its client may still use the slot, for up to `wal_sender_timeout`: the slot is ours, so is that walsender.
    static func removeSlot(_ record: MigrationRecord, on connection: PgConnection) async throws {
        let walSender = try await ReplicationSlot.find(name: record.streamName, on: connection)?.activePID
        try await ReplicationSlot.drop(name: record.streamName, walSender: walSender, on: connection)
        try Failpoint.slotDropped.pass()
    }

    static func exist(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> Bool {
        try connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)
                OR EXISTS (SELECT FROM pg_publication WHERE pubname = $1)
                OR EXISTS (SELECT FROM pg_namespace WHERE nspname = $2)
                OR EXISTS (SELECT FROM shadow_alter.migration WHERE forward_id = $3)
            """, [.text(record.streamName), .text(record.plan.greenSchema), .int(record.id)]
        ).single().value()
    }

    /// After the swap: only blue, and the record of it, remain.
    static func removeAfterSwap(_ record: MigrationRecord, on connection: PgConnection) async throws {
        try await removeStream(record, on: connection)
        try await connection.transaction { try removeWayBack(of: record, on: $0) }
        try Failpoint.wayBackRemoved.pass()
        try await removeSpools(record, on: connection)
    }

    /// What the way to the exchange has needed beside the stream.
    static func removeSpools(_ record: MigrationRecord, on connection: PgConnection) async throws {
        try await connection.transaction { connection in
            try connection.execute("SET LOCAL lock_timeout = '\(lockTimeout)'")
            for table in record.tables {
                try drop(table, on: connection)
                try connection.query(
                    """
                    WITH chunks AS (DELETE FROM shadow_alter.chunk WHERE table_id = $1 RETURNING rows)
                    UPDATE shadow_alter.migrated_table
                    SET rows_copied = rows_copied + (SELECT coalesce(sum(rows), 0) FROM chunks) WHERE id = $1
                    """, [.int(table.id)])
            }
            // Not CASCADE: should the live table need something in there, it must stay.
            try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(record.plan.greenSchema))")
            try Failpoint.spoolsRemoving.pass()
        }
        try Failpoint.spoolsRemoved.pass()
    }

    private static func drop(_ table: TableRecord, on connection: isolated PgConnection) throws {
        let own = [table.spool, table.suspects, table.parked, table.kept].map(\.sql)
        try connection.execute("DROP TABLE IF EXISTS \(own.joined(separator: ", "))")
    }

    /// The record of the way back, and what it has needed.
    private static func removeWayBack(of record: MigrationRecord, on connection: isolated PgConnection) throws {
        guard let wayBack = try StateStore.wayBack(of: record.id, on: connection) else { return }
        try connection.execute("SET LOCAL lock_timeout = '\(lockTimeout)'")
        // Of a rollback that did not come to its exchange.
        try wayBack.plan.dropPreparations(on: connection)
        for table in wayBack.tables { try drop(table, on: connection) }
        try connection.query("DELETE FROM shadow_alter.migration WHERE id = $1", [.int(wayBack.id)])
    }

    /// Before the swap: everything goes, and the source is as if nothing had been.
    static func removeAll(_ record: MigrationRecord, on connection: PgConnection) async throws {
        try await removeStream(record, on: connection)
        try await CompatViewRemoval(record: record, connection: connection).run()
        try Failpoint.leavingViewsRemoved.pass()
        try await connection.transaction { connection in
            try connection.execute("SET LOCAL lock_timeout = '\(lockTimeout)'")
            try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(record.plan.greenSchema)) CASCADE")
            try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(record.plan.blueSchema))")
            try removeState(record, on: connection)
            try Failpoint.aborting.pass()
        }
        try Failpoint.aborted.pass()
    }

    /// The spools and the record; with the last migration, the state schema.
    static func removeState(_ record: MigrationRecord, on connection: isolated PgConnection) throws {
        let isOnly = try StateSchema.lockIfOnly(record.id, on: connection)
        for table in record.tables { try drop(table, on: connection) }
        try removeWayBack(of: record, on: connection)
        if isOnly { return try StateSchema.drop(on: connection) }
        try connection.query("DELETE FROM shadow_alter.migration WHERE id = $1", [.int(record.id)])
        // Another one may have gone meanwhile.
        try StateSchema.dropIfUnused(on: connection)
    }
}
