import PgConnection

/// Views over the tables, and what goes with them.
///
/// A view whose columns stay as they are gets its query parsed anew by CREATE OR REPLACE VIEW, in its place: what stands on it, and everybody's
/// privileges, are not concerned. The others are made anew, from the tables outwards. The former ones step aside first and are dropped
/// last, when nothing uses them any more.
struct QueryReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        let queries = try StoredQueries.read(tables, on: connection)
        guard !queries.ordered.isEmpty || !queries.circular.isEmpty else { return [] }
        let trial = try connection.undone { connection in
            try QueryTrial(tables: tables, queries: queries).run(on: connection)
        }
        let refusals = try QueryRefusals(tables: tables, trial: trial, queries: queries).find(on: connection)
        guard refusals.isEmpty else { throw Refused(refusals) }
        var dependants = try trial.tried.map { try $0.dependant(on: connection) }
        // One statement, for they may use each other.
        let former = trial.tried.filter { $0.verdict == .recreated }.compactMap(\.formerView)
        if !former.isEmpty {
            dependants[dependants.count - 1].restore.append("DROP VIEW \(former.map(\.sql).joined(separator: ", "))")
        }
        return dependants
    }
}

/// Tries them all, from the tables outwards.
struct QueryTrial {
    let tables: [MigratedTable]
    let queries: StoredQueries

    struct Result: Sendable {
        /// Without those that are not concerned.
        var tried: [TriedQuery] = []
    }

    /// Inside a savepoint that is rolled back.
    func run(on connection: isolated PgConnection) throws -> Result {
        var schemas = try TrialSchemas(tables, on: connection)
        var result = Result()
        for query in queries.ordered where schemas.needsTrial(query) {
            let view = try View.read(query.oid, on: connection)
            let verdict = try ViewTrial(query: query, view: view).run(&schemas, on: connection)
            result.tried.append(TriedQuery(query: query, view: view, verdict: verdict))
        }
        return result
    }
}

struct TriedQuery: Sendable {
    let query: StoredQuery
    let view: View
    let verdict: Verdict

    /// Where the former view is until it is dropped.
    var formerView: QualifiedName { QualifiedName(schema: view.name.schema, name: "shadow_alter_former_\(view.oid)") }

    func dependant(on connection: isolated PgConnection) throws -> Dependant {
        var dependant = Dependant(kind: .view, name: query.title, remove: [], restore: [])
        let definition = try view.definition(on: connection)
        if verdict == .replaced {
            dependant.restore = [view.create(as: view.name, definition, orReplace: true)]
        } else {
            dependant.remove = ["ALTER VIEW \(view.name.sql) RENAME TO \(Quoting.identifier(formerView.name))"]
            dependant.restore =
                [view.create(as: view.name, definition)] + (try ViewParts(view: view).statements(on: connection))
        }
        dependant.locks = [RelationLock(oid: view.oid, relation: view.name, kind: .view)]
        dependant.relations = [view.oid]
        return dependant
    }
}
