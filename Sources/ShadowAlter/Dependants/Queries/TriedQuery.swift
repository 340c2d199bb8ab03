import PgConnection

/// A view or function with the verdict about it.
struct TriedQuery: Sendable {
    enum Subject: Sendable {
        case view(View)
        /// How it is built before the cut-over; nil until that is known.
        case materializedView(MaterializedView, MaterializedViewPlan?)
        case function(StoredFunction)
    }

    let query: StoredQuery
    let subject: Subject
    let verdict: Verdict

    /// The name under which the former one is there until it is dropped.
    private var formerName: String { "shadow_alter_former_\(query.oid)" }

    func dependant(_ trial: QueryTrial.Result, on connection: isolated PgConnection) throws -> Dependant {
        switch subject {
        case .view(let view): try dependant(view, trial, on: connection)
        case .materializedView(let view, let plan): try dependant(view, plan, on: connection)
        case .function(let function): try dependant(function, on: connection)
        }
    }

    private func dependant(
        _ view: View, _ trial: QueryTrial.Result, on connection: isolated PgConnection
    ) throws -> Dependant {
        var dependant = Dependant(kind: .view, name: query.title, remove: [], restore: [])
        let definition = try view.definition(on: connection)
        if verdict == .replaced {
            dependant.restore = [view.create(as: view.name, definition, orReplace: true)]
        } else {
            // A rule may use a view further out, which is dropped before.
            let rules = trial.rules.filter { $0.rule.holder == view.oid }
            dependant.remove =
                rules.map { "DROP RULE \($0.rule.sql)" }
                + ["ALTER VIEW \(view.name.sql) RENAME TO \(Quoting.identifier(formerName))"]
            dependant.restore =
                [view.create(as: view.name, definition)] + (try ViewParts(view: view).statements(on: connection))
        }
        dependant.locks = [RelationLock(oid: view.oid, relation: view.name, kind: .view)]
        dependant.relations = [view.oid]
        return dependant
    }

    /// The former one steps aside with its indexes, whose names the new one's have as well.
    private func dependant(
        _ view: MaterializedView, _ plan: MaterializedViewPlan?, on connection: isolated PgConnection
    ) throws -> Dependant {
        var dependant = Dependant(kind: .materializedView, name: query.title, remove: [], restore: [])
        guard case .build(let green, let definition, let path)? = plan else { return dependant }
        let schema = Quoting.identifier(view.name.schema)
        let indexes = try IndexReader.read(view.oid, on: connection).map(\.name).sorted()
        let statistics = try view.statisticsNames(on: connection)
        dependant.preparation = Preparation(
            relation: green, statements: try view.build(as: green, definition, path: path, on: connection))
        dependant.remove =
            statistics.map { "DROP STATISTICS \(QualifiedName(schema: view.name.schema, name: $0).sql)" }
            + indexes.enumerated().map { number, index in
                "ALTER INDEX \(QualifiedName(schema: view.name.schema, name: index).sql) RENAME TO \(Quoting.identifier("\(formerName)_\(number)"))"
            } + ["ALTER MATERIALIZED VIEW \(view.name.sql) RENAME TO \(Quoting.identifier(formerName))"]
        dependant.restore =
            ["ALTER MATERIALIZED VIEW \(green.sql) SET SCHEMA \(schema)"]
            + statistics.map {
                "ALTER STATISTICS \(QualifiedName(schema: green.schema, name: $0).sql) SET SCHEMA \(schema)"
            }
        dependant.locks = [RelationLock(oid: view.oid, relation: view.name, kind: .view)]
        dependant.relations = [view.oid]
        return dependant
    }

    private func dependant(_ function: StoredFunction, on connection: isolated PgConnection) throws -> Dependant {
        var dependant = Dependant(kind: .function, name: query.title, remove: [], restore: [])
        dependant.restore = [
            function.checks, try function.definition(on: connection),
        ]
        if verdict == .recreated {
            dependant.remove = ["ALTER ROUTINE \(function.sql) RENAME TO \(Quoting.identifier(formerName))"]
            dependant.restore += try function.parts(on: connection)
        }
        dependant.restore += function.dependencies
        dependant.functions = [function.oid]
        return dependant
    }

    /// The last step: by now nothing uses the former one.
    var dropFormer: String? {
        guard verdict == .recreated else { return nil }
        let name = QualifiedName(schema: query.name.schema, name: formerName)
        let kind =
            switch query.kind {
            case .view: "VIEW"
            case .materializedView: "MATERIALIZED VIEW"
            case .function: "ROUTINE"
            }
        return "DROP \(kind) \(name.sql)"
    }
}

/// A rule with the verdict about it.
struct TriedRule: Sendable {
    let rule: StoredRule
    /// It goes with the view.
    let isOfRecreatedView: Bool
    let rejection: String?

    /// - Parameter tables: a rule of one of them is made on the new table, that of another relation is replaced in its place.
    func dependant(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> Dependant {
        var dependant = Dependant(kind: .rule, name: rule.title, remove: [], restore: [])
        let definition = try rule.definition(on: connection)
        if tables.contains(where: { $0.sourceOID == rule.holder }) {
            dependant.remove = ["DROP RULE \(rule.sql)"]
            dependant.restore = [definition] + rule.parts
        } else {
            dependant.restore = [try rule.replacing(definition)]
            dependant.locks = [
                RelationLock(
                    oid: rule.holder, relation: rule.holderName, kind: rule.holderIsView ? .view : .table)
            ]
            dependant.relations = [rule.holder]
        }
        return dependant
    }
}
