import Logging
import PgConnection

/// Whether the old tables could come back now, and why not.
struct RollbackReadiness {
    let record: MigrationRecord
    let wayBack: MigrationRecord
    let status: StatusBox
    let log: Logger

    /// Why there is no rollback now; nil: there is one.
    private var refusal: String?
    private(set) var obstacle: String? = "it has not been looked yet"
    /// The catalogs' state that the way back was recorded with is that of before the exchange, until the exchange is settled.
    private var isSettled = false

    init(record: MigrationRecord, wayBack: MigrationRecord, status: StatusBox, log: Logger) {
        self.record = record
        self.wayBack = wayBack
        self.status = status
        self.log = log
    }

    var isPossible: Bool { obstacle == nil }

    /// Rows that cannot go back differ, of course.
    var mayBeVerified: Bool { isSettled && obstacle == nil }

    /// What an attempt has been refused for. It is tried again.
    mutating func refuse(_ reason: String) {
        guard refusal != reason else { return }
        log.warning("there is no rollback: \(reason)")
        refusal = reason
    }

    func reason(isWanted: Bool) -> String {
        switch (obstacle ?? (isWanted ? refusal : nil), isWanted) {
        case (let obstacle?, true): "the rollback waits: \(obstacle)"
        case (let obstacle?, false): "a rollback is not possible: \(obstacle)"
        case (nil, _): "\(record.plan.oldTablesFollow); `rollback` or `finalize` decides"
        }
    }

    /// Throws `wayBackLost` when an old table was dropped.
    mutating func look(on control: PgConnection) async throws {
        let new = try await find(on: control)
        guard new != obstacle else { return }
        if let new {
            log.notice("a rollback is not possible: \(new)")
        } else {
            log.notice("a rollback is possible")
        }
        obstacle = new
        try await control.run { [wayBack] in try StateStore.setRollbackObstacle(new, of: wayBack.id, on: $0) }
        status.update { $0.rollbackObstacle = new }
    }

    private mutating func find(on control: PgConnection) async throws -> String? {
        if !isSettled {
            guard try await control.run({ [record] in try StateStore.find(id: record.id, on: $0)?.isSettled ?? true })
            else { return "foreign keys are still being validated" }
            try await recordCatalog(on: control)
            try Failpoint.catalogRecorded.pass()
            isSettled = true
        }
        return try await control.run { [wayBack] connection in
            guard let current = try StateStore.find(id: wayBack.id, on: connection) else { return "its record is gone" }
            for table in current.tables {
                let isThere: Bool = try connection.query(
                    "SELECT EXISTS (SELECT FROM pg_class WHERE oid = $1)", [.int(table.greenOID)]
                ).single().value()
                guard isThere else { throw MigrationError.oldTableGone(table) }
                if let parked = try Self.parked(table, on: connection) { return parked }
            }
            for table in current.plan.exchanges {
                let digest = try CatalogFingerprint.digest(
                    of: table.sourceOID, publication: wayBack.streamName, on: connection)
                let parts = CatalogFingerprint.difference(table.fingerprint, digest)
                guard parts.isEmpty else {
                    return
                        "somebody has changed \(table.source) since the exchange (\(parts.joined(separator: ", "))), which the old table has not; change it back"
                }
            }
            guard try StateStore.verification(of: wayBack.id, on: connection)?.hasFailed != true else {
                return
                    "the last verification found that \(wayBack.plan.tables.map(\.green.description).joined(separator: ", ")) differs"
            }
            return nil
        }
    }

    private static func parked(_ table: TableRecord, on connection: isolated PgConnection) throws -> String? {
        let keys = zip(table.plan.key, SpoolSQL.keyColumns(table.plan)).map { key, column in
            "\(Quoting.literal(key.source + " = ")) || \(column)::text"
        }
        let row = try connection.query(
            """
            SELECT count(*) OVER () AS count, why, concat_ws(', ', \(keys.joined(separator: ", "))) AS key
            FROM (SELECT * FROM \(table.parked.sql) ORDER BY conflicts, seq LIMIT 1001) p ORDER BY conflicts, seq LIMIT 1
            """
        ).first
        return try row.map { row in
            let count: Int64 = try row.get("count")
            let others = count > 1000 ? ", and more than 1000 others" : count > 1 ? ", and \(count - 1) more" : ""
            let key: String = try row.get("key")
            return
                "the row of \(table.plan.source) with \(key.prefix(200)) cannot be had in its old form: \(try row.get("why", as: String.self))\(others)"
        }
    }

    /// The state that the exchange has left the catalogs in: whatever differs from it later was done by somebody else.
    private func recordCatalog(on control: PgConnection) async throws {
        try await control.transaction { [wayBack] connection in
            guard let current = try StateStore.find(id: wayBack.id, on: connection), !current.isSettled else { return }
            var plan = current.plan
            for index in plan.tables.indices {
                plan.tables[index].fingerprint = try CatalogFingerprint.digest(
                    of: plan.tables[index].sourceOID, publication: wayBack.streamName, on: connection)
            }
            for index in plan.parents.indices {
                plan.parents[index].fingerprint = try CatalogFingerprint.digest(
                    of: plan.parents[index].sourceOID, publication: wayBack.streamName, on: connection)
            }
            try StateStore.setPlan(plan, of: wayBack.id, on: connection)
            try StateStore.setSettled(true, of: wayBack.id, on: connection)
        }
    }
}
