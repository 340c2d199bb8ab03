import PgConnection

/// What becomes of a stored query that uses something that is exchanged.
enum Verdict: Sendable, Equatable {
    /// It looks the same from outside: CREATE OR REPLACE, and what stands on it needs nothing.
    case replaced
    /// It must be made anew, and what stands on it as well.
    case recreated
    case refused(String)
}

/// Makes a view on the stand-ins, to learn whether PostgreSQL accepts it there, and with which columns.
struct ViewTrial {
    let query: StoredQuery
    let view: View

    /// A view that must be made anew stays where the later ones find it.
    func run(_ schemas: inout TrialSchemas, on connection: isolated PgConnection) throws -> Verdict {
        guard let path = try schemas.path(for: Set(query.uses.map(\.object)), on: connection) else {
            return .refused(
                "it uses several relations of the same name in different schemas, and PostgreSQL was not able to try it on the new table"
            )
        }
        let definition = try view.definition(on: connection)
        // Nothing but the schema is ours: no name of the view's own schema gets in its way.
        let name = QualifiedName(
            schema: try schemas.schema(for: view.name.schema, on: connection), name: view.name.name)
        try TrialSchemas.setPath(schemas.standIns(path), on: connection)
        let create = view.create(as: name, definition)
        let current = schemas
        let verdict: Verdict
        do {
            verdict = try connection.undone { connection in
                try connection.execute(create)
                return try judge(name, current, on: connection)
            }
        } catch let error as PgError where !error.isConnectionLoss && error.sqlState != .lockNotAvailable {
            return .refused("PostgreSQL says: \(error.message)\(error.detail.map { " (\($0))" } ?? "")")
        }
        if verdict == .recreated {
            try connection.execute(create)
            schemas.add(query, standIn: try oid(name, on: connection))
        }
        return verdict
    }

    private func oid(_ name: QualifiedName, on connection: isolated PgConnection) throws -> UInt32 {
        try connection.query("SELECT $1::regclass::oid", [.text(name.sql)]).single().value()
    }

    private func judge(
        _ name: QualifiedName, _ schemas: TrialSchemas, on connection: isolated PgConnection
    ) throws -> Verdict {
        let oid = try oid(name, on: connection)
        var trial = query
        trial.oid = oid
        // The deparsed text is trusted no further than this: it must mean the same tables, views and columns.
        let found = Set(try trial.readUses(on: connection).map(schemas.original).filter(\.isOfRelation))
        guard found == Set(query.uses.filter(\.isOfRelation)) else {
            return .refused("on the new table its text would mean other tables or columns")
        }
        return try View.columns(of: oid, on: connection) == view.columns ? .replaced : .recreated
    }
}

extension StoredQuery.Use {
    /// Functions and casts between types may well be others after the change.
    fileprivate var isOfRelation: Bool {
        if case .relation = object { return true }
        return false
    }
}
