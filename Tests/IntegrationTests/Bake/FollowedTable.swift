import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// A table after its migration, with a spool for the way back that the test fills by hand.
struct FollowedTable: Sendable {
    let wayBack: WayBackCase
    let session: TestSession
    let record: TableRecord
    let batch: RefreshBatch

    static func migrate(_ wayBack: WayBackCase, on binaries: ServerBinaries) async throws -> FollowedTable {
        let database = try await TestDatabase.create("way_back_\(wayBack.name)", on: binaries)
        let session = try await TestSession(database)
        try await session.execute(wayBack.setup)
        let request = MigrationRequest(
            change: .script(wayBack.change), strategy: .shadow, reverse: wayBack.reverse)
        try await RunningMigration(request, database).summary()
        let found = try await session.connection.run { try StateStore.find("item", on: $0) }
        let migration = try #require(found)
        let record = try migration.tables[0].reversed(blueSchema: migration.plan.blueSchema)
        try await session.connection.run { connection in
            try connection.execute("DROP TABLE IF EXISTS \(record.spool.sql)")
            try connection.execute(SpoolSQL.create(record.spool, for: record.plan))
            if let kept = KeptSQL(place: record.kept, for: record.plan) { try connection.execute(kept.create) }
        }
        return FollowedTable(wayBack: wayBack, session: session, record: record, batch: RefreshBatch(record))
    }

    /// Writes, spools what was written, refreshes, compares; and takes all of it back.
    func compare(_ mode: RefreshBatch.Mode) async throws {
        try await session.execute("BEGIN")
        try await session.execute(
            "CREATE TEMP TABLE before_writes ON COMMIT DROP AS TABLE item; CREATE TEMP TABLE old_rows ON COMMIT DROP AS TABLE item_blue.item"
        )
        try await session.execute(wayBack.writes)
        let (keys, list) = (
            wayBack.key.joined(separator: ", "), SpoolSQL.keyColumns(record.plan).joined(separator: ", ")
        )
        let also = wayBack.alsoSpooled.map { " UNION SELECT \($0)" }.joined()
        let spooled = try await session.execute(
            """
            INSERT INTO \(record.spool.sql) (seq, xid, \(list))
            SELECT row_number() OVER (), pg_current_xact_id(), written.* FROM (
                (SELECT \(keys) FROM (SELECT \(keys), t::text FROM item t EXCEPT SELECT \(keys), t::text FROM before_writes t) AS new
                UNION SELECT \(keys) FROM (SELECT \(keys), t::text FROM before_writes t EXCEPT SELECT \(keys), t::text FROM item t) AS old)\(also)
            ) AS written
            """
        ).affectedRows
        #expect(spooled > 2)
        let result = try await session.connection.run { [batch] connection in
            try batch.run(after: 0, limit: 1000, mode: mode, isLocked: true, on: connection)
        }
        #expect(result.settled == spooled && result.yielded.isEmpty, "\(wayBack) \(mode): \(result)")
        #expect(try await session.isTrue("NOT EXISTS (SELECT FROM \(record.spool.sql))"))
        try await session.execute("CREATE TEMP TABLE native ON COMMIT DROP AS TABLE item")
        if !wayBack.back.isEmpty { try await session.execute("ALTER TABLE native \(wayBack.back)") }
        let expected = try await session.column(
            """
            SELECT r::text FROM (SELECT \(wayBack.columns) FROM native n LEFT JOIN old_rows o ON \(wayBack.join)) AS r ORDER BY 1
            """)
        let found = try await session.column("SELECT r::text FROM (SELECT * FROM item_blue.item) AS r ORDER BY 1")
        #expect(found == expected, "\(wayBack), \(mode)")
        #expect(
            found != (try await session.column("SELECT r::text FROM old_rows r ORDER BY 1")), "nothing was written")
        try await expectNothingKept()
        try await session.execute("ROLLBACK")
        // No rollback takes a sequence back.
        try await session.execute(
            """
            SELECT setval(pg_get_serial_sequence(attrelid::regclass::text, attname), 20)
            FROM pg_attribute WHERE attrelid IN ('item'::regclass, 'item_blue.item'::regclass) AND attnum > 0 AND NOT attisdropped
                AND pg_get_serial_sequence(attrelid::regclass::text, attname) IS NOT NULL
            """)
    }

    func spool(keys: [String]) async throws {
        for (index, key) in keys.enumerated() {
            try await session.execute(
                "INSERT INTO \(record.spool.sql) VALUES (\(index + 1), pg_current_xact_id(), \(key))")
        }
    }

    func run(_ mode: RefreshBatch.Mode) async throws {
        _ = try await session.connection.transaction { [batch] connection in
            try batch.run(after: 0, limit: 1000, mode: mode, on: connection)
        }
    }

    func expectNothingKept() async throws {
        guard record.plan.mapping.kept != nil else { return }
        #expect(try await session.isTrue("NOT EXISTS (SELECT FROM \(record.kept.sql))"))
    }
}
