import Logging
import PgConnection

/// Builds what takes long and hangs on the new tables, before they are exchanged: materialized views.
struct Preparations: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let status: StatusBox
    let log: Logger

    /// A run that is continued builds what is not there yet.
    func run() async throws {
        let observer = try await PgConnection.connect(connections, for: .control)
        do {
            let courtesy = Courtesy(working: control, observer: observer, log: log)
            for dependant in record.plan.dependants {
                guard let preparation = dependant.preparation, try await isMissing(preparation) else { continue }
                status.update { $0.reason = "building the \(dependant.name)" }
                // It reads other tables, too, for as long as it takes.
                try await courtesy.run("the building of the \(dependant.name)") {
                    try await build(preparation, dependant)
                }
                try Failpoint.prepared.pass()
                log.info("built the \(dependant.name) over the new table")
            }
            await observer.close()
        } catch {
            await observer.close()
            throw error
        }
        status.update { $0.reason = nil }
    }

    private func isMissing(_ preparation: Preparation) async throws -> Bool {
        try await control.run { connection in
            try connection.query(
                "SELECT to_regclass($1) IS NULL", [.text(preparation.relation.sql)]
            ).single().value()
        }
    }

    private func build(_ preparation: Preparation, _ dependant: Dependant) async throws {
        do {
            try await control.cancellable { connection in
                try connection.execute("BEGIN")
                do {
                    // What is computed may be a text, as the application would have it.
                    try connection.execute(ExactText.setLocalDefaults)
                    for statement in preparation.statements { try connection.execute(statement) }
                    try Failpoint.preparing.pass()
                    try connection.execute("COMMIT")
                } catch {
                    _ = try? connection.execute("ROLLBACK")
                    throw error
                }
            }
        } catch let error as PgError where !error.isConnectionLoss && error.sqlState != .queryCanceled {
            throw MigrationError(
                .inconsistent, "the \(dependant.name) could not be built over the new table: \(error.message)",
                state: "no live table and not the \(dependant.name) was touched; all rows are copied",
                advice: "mend what PostgreSQL complains about and run the same command again, which continues here")
        }
    }
}

extension MigrationPlan {
    /// Takes back what was built for an exchange that has not come; once it has come, it lies elsewhere. In the caller's transaction.
    func dropPreparations(on connection: isolated PgConnection) throws {
        // From the outside inwards: one may be computed from another.
        for relation in dependants.compactMap(\.preparation?.relation).reversed() {
            let isThere: Bool = try connection.query(
                "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'm')",
                [.text(relation.sql)]
            ).single().value()
            if isThere { try connection.execute("DROP MATERIALIZED VIEW \(relation.sql)") }
        }
    }
}
