import PgConnection

/// Keeps two runs off the same table: a session-level advisory lock per source, held for as long as the connection lives.
enum TableLock {
    /// The first key of our advisory locks, so that they do not meet the application's.
    private static let space: Int32 = 0x5AD0_A17E

    /// Returns the pid of the session that has the lock, or nil when it is ours now.
    static func acquire(_ oid: UInt32, on connection: isolated PgConnection) throws -> Int32? {
        let key = Int32(bitPattern: oid)
        let acquired: Bool = try connection.query(
            "SELECT pg_try_advisory_lock($1::int, $2::int)", [.int(space), .int(key)]
        ).single().value()
        return acquired ? nil : try holder(of: oid, on: connection) ?? 0
    }

    /// The pid of a session that works on one of these tables; nil when none does.
    static func owner(of tables: [TableRecord], on connection: isolated PgConnection) throws -> Int32? {
        for table in tables {
            if let pid = try holder(of: table.plan.sourceOID, on: connection) { return pid }
        }
        return nil
    }

    /// The pid of a session that works on another table than these; nil when none does.
    static func stranger(besides oids: Set<UInt32>, on connection: isolated PgConnection) throws -> Int32? {
        try connection.query(
            """
            SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = $1::oid
                AND objid <> ALL ($2::oid[]) AND pid <> pg_backend_pid()
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """, [.int(UInt32(bitPattern: space)), .array(oids.map { String($0) })]
        ).first?.value()
    }

    /// Whether the session still has the table's lock.
    static func isHeld(_ oid: UInt32, by pid: Int32, on connection: isolated PgConnection) throws -> Bool {
        try holder(of: oid, on: connection) == pid
    }

    private static func holder(of oid: UInt32, on connection: isolated PgConnection) throws -> Int32? {
        try connection.query(
            """
            SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
                AND classid = $1::oid AND objid = $2::oid
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """, [.int(UInt32(bitPattern: space)), .int(oid)]
        ).first?.value()
    }
}
