import PgConnection

/// What an exchange of the tables sets in motion and records, in its own transaction.
struct Landing: Sendable {
    /// Asked under the locks, when everything is refreshed: each must be true, or nothing is exchanged.
    var conditions: [String] = []
    /// Executed when the new tables have their names.
    var statements: [String] = []
    /// The phases that migrations are in from then on, by their numbers.
    var phases: [Int64: Phase]
    /// How long a bake lasts that begins; nil: until `finalize`.
    var bake: Duration?

    /// A condition does not hold.
    struct NotPossible: Error {}

    /// The new tables are live, and the old ones stay as they are.
    static func done(_ record: MigrationRecord) -> Self { Self(phases: [record.id: .done]) }

    /// The new tables are live, and from this commit on the old ones follow them.
    static func bake(_ record: MigrationRecord, wayBack: MigrationRecord, for duration: Duration?) -> Self {
        Self(
            statements: [WayBack.redirect(record.streamName, to: wayBack.plan)], phases: [record.id: .baking],
            bake: duration)
    }

    /// The old tables are live again.
    static func rollback(_ wayBack: MigrationRecord, of record: MigrationRecord) -> Self {
        Self(
            // A row that the old definition does not take may have come in the last moment.
            conditions: wayBack.tables.map { "SELECT NOT EXISTS (SELECT FROM \($0.parked.sql))" },
            phases: [wayBack.id: .done, record.id: .rolledBack])
    }

    func check(on connection: isolated PgConnection) throws {
        for condition in conditions where try !connection.query(condition).single().value(as: Bool.self) {
            throw NotPossible()
        }
    }

    func record(on connection: isolated PgConnection) throws {
        for (id, phase) in phases {
            try StateStore.setPhase(phase, of: id, on: connection)
            if phase == .baking { try StateStore.beginBake(for: bake, of: id, on: connection) }
        }
    }
}
