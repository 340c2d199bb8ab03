import PgConnection

/// Why tables are dropped that are live no longer, and how that is told.
enum RemovalOccasion: Sendable, CustomStringConvertible {
    /// The old tables, for good.
    case finalize
    /// The new tables, when the old ones are live again.
    case rollback

    var description: String {
        switch self {
        case .finalize: "finalize"
        case .rollback: "the end of the rollback"
        }
    }

    /// One of the tables.
    var table: String {
        switch self {
        case .finalize: "an old table"
        case .rollback: "a new table"
        }
    }

    /// How a table of this name is called.
    func title(_ name: QualifiedName) -> String {
        switch self {
        case .finalize: "the old table \(name)"
        case .rollback: "the new table \(name)"
        }
    }

    /// - Parameter record: of the exchange that came last.
    func tables(_ record: MigrationRecord) -> String {
        switch self {
        case .finalize: record.plan.oldTables
        case .rollback: record.tables.count == 1 ? "the new table" : "the \(record.tables.count) new tables"
        }
    }

    /// For people who look while it is under way, or after it was interrupted.
    func note(_ what: String, _ record: MigrationRecord, on connection: isolated PgConnection) throws {
        guard self == .finalize else { return }
        try StateStore.noteFinalize(
            "finalize has begun, \(what); `finalize` goes on with it", of: record.id, on: connection)
    }

    func hasBegun(_ record: MigrationRecord, on connection: isolated PgConnection) throws -> Bool {
        switch self {
        case .finalize: try StateStore.hasBegunFinalize(of: record.id, on: connection)
        case .rollback: try BlueTable.read(record, on: connection).count < record.plan.exchanges.count
        }
    }

    func state(_ record: MigrationRecord, hasBegun: Bool) -> String {
        let live =
            switch self {
            case .finalize: "the new definition is live"
            case .rollback: "the old definition is live, with everything that was written meanwhile"
            }
        let schema = record.plan.blueSchema
        return hasBegun
            ? "\(live); parts of what is in the schema \(schema) are dropped already"
            : "\(live); \(tables(record)) in the schema \(schema) \(record.tables.count == 1 ? "is" : "are") untouched"
    }

    /// What has to be done again.
    func repetition(_ record: MigrationRecord) -> String {
        switch self {
        case .finalize: "`shadow-alter finalize \(record.name)` again"
        case .rollback: "run the same command again, which ends the rollback"
        }
    }

    /// When all tables are gone, in the transaction that drops their schema.
    func end(_ record: MigrationRecord, on connection: isolated PgConnection) throws {
        switch self {
        case .finalize: try Leftovers.removeState(record, on: connection)
        case .rollback:
            try connection.execute("DROP SCHEMA IF EXISTS \(Quoting.identifier(record.plan.greenSchema))")
            guard let id = record.forwardID, let forward = try StateStore.find(id: id, on: connection) else { return }
            try Leftovers.removeState(forward, on: connection)
        }
    }
}
