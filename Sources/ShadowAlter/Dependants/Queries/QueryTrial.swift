import PgConnection

/// What becomes of a stored query that uses something that is exchanged.
enum Verdict: Sendable, Equatable {
    /// It looks the same from outside: CREATE OR REPLACE, and what stands on it needs nothing.
    case replaced
    /// It must be made anew, and what stands on it binds to the new one.
    case recreated
    case refused(String)
}

/// Makes all stored queries on the stand-ins, from the tables outwards, to learn whether PostgreSQL accepts them there, and with which columns.
struct QueryTrial {
    let tables: [MigratedTable]
    let queries: StoredQueries

    struct Result: Sendable {
        /// Without those that are not concerned.
        var queries: [TriedQuery] = []
        var rules: [TriedRule] = []
    }

    /// Inside a savepoint that is rolled back.
    func run(on connection: isolated PgConnection) throws -> Result {
        var schemas = try TrialSchemas(tables, on: connection)
        var result = Result()
        try connection.execute(StoredFunction.doNotLookIntoText)
        for query in queries.ordered where schemas.needsTrial(query.uses) {
            // Names in messages and statements are qualified.
            try TrialSchemas.setPath([], on: connection)
            var subject: TriedQuery.Subject =
                switch query.kind {
                case .view: .view(try View.read(query.oid, on: connection))
                case .materializedView: .materializedView(try MaterializedView.read(query.oid, on: connection), nil)
                case .function: .function(try StoredFunction.read(query.oid, on: connection))
                }
            if case .materializedView(let view, _) = subject {
                subject = .materializedView(
                    view,
                    try MaterializedViewPlan.make(view, query, schemas, tables, after: result.queries, on: connection))
                try TrialSchemas.setPath([], on: connection)
            }
            let verdict = try attempt(query, subject, &schemas, on: connection)
            result.queries.append(TriedQuery(query: query, subject: subject, verdict: verdict))
        }
        let recreated = Set(result.queries.filter { $0.verdict == .recreated }.map(\.query.object))
        for rule in try StoredRule.read(schemas.changed.keys.compactMap(\.relation), on: connection)
        where schemas.needsTrial(rule.uses) {
            result.rules.append(
                TriedRule(
                    rule: rule, isOfRecreatedView: recreated.contains(.relation(rule.holder)),
                    rejection: try RuleTrial(rule: rule).run(schemas, on: connection)))
        }
        return result
    }

    /// One that must be made anew stays where the later ones find it.
    private func attempt(
        _ query: StoredQuery, _ subject: TriedQuery.Subject, _ schemas: inout TrialSchemas,
        on connection: isolated PgConnection
    ) throws -> Verdict {
        guard let path = try schemas.path(for: Set(query.uses.map(\.object)), on: connection) else {
            return .refused(TrialSchemas.ambiguous)
        }
        let place = QualifiedName(
            schema: try schemas.schema(for: query.name.schema, on: connection), name: query.name.name)
        let current = schemas
        let create: String
        let verdict: Verdict
        do {
            create =
                switch subject {
                case .view(let view): view.create(as: place, try view.definition(on: connection))
                case .materializedView(let view, _):
                    view.create(as: place, try view.definition(on: connection), withData: false)
                case .function(let function): try function.definition(in: place.schema, on: connection)
                }
            try TrialSchemas.setPath(schemas.standIns(path), on: connection)
            verdict = try connection.undone { connection in
                try connection.execute(create)
                return try judge(query, subject, place, current, on: connection)
            }
        } catch let error as PgError where error.isRejection {
            return .refused(error.says)
        }
        if verdict == .recreated {
            try connection.execute(create)
            schemas.add(query, standIn: try standIn(query, place, on: connection))
        }
        return verdict
    }

    private func standIn(
        _ query: StoredQuery, _ place: QualifiedName, on connection: isolated PgConnection
    ) throws -> UInt32 {
        switch query.kind {
        case .view, .materializedView:
            try connection.query("SELECT $1::regclass::oid", [.text(place.sql)]).single().value()
        case .function:
            // Of several with one name it is the one that was made last.
            try connection.query(
                """
                SELECT max(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.proname = $2
                """, [.text(place.schema), .text(place.name)]
            ).single().value()
        }
    }

    private func judge(
        _ query: StoredQuery, _ subject: TriedQuery.Subject, _ place: QualifiedName, _ schemas: TrialSchemas,
        on connection: isolated PgConnection
    ) throws -> Verdict {
        var trial = query
        trial.oid = try standIn(query, place, on: connection)
        guard schemas.areSame(try trial.readUses(on: connection), query.uses) else {
            return .refused(TrialSchemas.otherMeaning)
        }
        switch subject {
        case .view(let view):
            return try View.columns(of: trial.oid, on: connection) == view.columns ? .replaced : .recreated
        case .materializedView(_, .impossible(let why)?): return .refused(why)
        case .materializedView: return .recreated
        case .function(let function):
            let isExchanged = function.signature.contains { schemas.changed[.relation($0)] != nil }
            return isExchanged ? .recreated : .replaced
        }
    }
}

extension PgError {
    /// Whether it is PostgreSQL's judgement about the statement.
    var isRejection: Bool { !isConnectionLoss && sqlState != nil && sqlState != .lockNotAvailable }

    var says: String { "PostgreSQL says: \(message)\(detail.map { " (\($0))" } ?? "")" }
}

extension StoredQuery.Object {
    var relation: UInt32? {
        if case .relation(let oid) = self { return oid }
        return nil
    }
}
