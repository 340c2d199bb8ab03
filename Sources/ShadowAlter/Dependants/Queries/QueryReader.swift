import PgConnection

/// Views, rules and functions that PostgreSQL stores as parsed queries, in which the tables are OIDs.
///
/// A view whose columns stay as they are, and a function, get their query parsed anew by CREATE OR REPLACE, in their place: what stands on them,
/// and everybody's privileges, are not concerned. The others are made anew, from the tables outwards. The former ones step aside first and are
/// dropped last, when nothing uses them any more.
struct QueryReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        let queries = try StoredQueries.read(tables, on: connection)
        let trial = try connection.undone { connection in
            try QueryTrial(tables: tables, queries: queries).run(on: connection)
        }
        let refusals = try QueryRefusals(tables: tables, trial: trial, queries: queries).find(on: connection)
        guard refusals.isEmpty else { throw Refused(refusals) }
        var dependants = try trial.queries.map { try $0.dependant(trial, on: connection) }
        dependants += try trial.rules.filter { !$0.isOfRecreatedView }.map { try $0.dependant(tables, on: connection) }
        if !dependants.isEmpty {
            dependants[dependants.count - 1].restore += trial.queries.reversed().compactMap(\.dropFormer)
        }
        return dependants
    }
}
