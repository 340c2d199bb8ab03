import PgConnection

/// Policies of other tables that refer to the migrated ones: their expressions are read anew after the exchange. (The tables' own policies
/// are made on the new tables long before: see `Policies`.)
struct PolicyReader: DependantReader {
    func read(_ tables: [MigratedTable], on connection: isolated PgConnection) throws -> [Dependant] {
        let policies = try Policy.read(tables.map(\.sourceOID), ofOthers: true, on: connection)
        let refusals =
            try PolicyRefusals(tables: tables).find(policies, on: connection)
            + foreign(policies, tables, on: connection)
        guard refusals.isEmpty else { throw Refused(refusals) }
        return policies.map { policy in
            var dependant = Dependant(kind: .policy, name: policy.title, remove: [], restore: [policy.rebind()])
            dependant.locks = [RelationLock(oid: policy.tableOID, relation: policy.table, kind: .table)]
            dependant.relations = [policy.tableOID]
            return dependant
        }
    }

    private func foreign(
        _ policies: [Policy], _ tables: [MigratedTable], on connection: isolated PgConnection
    ) throws -> [Refusal] {
        try policies.compactMap { policy in
            let owner: String? = try connection.query(
                "SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = $1 AND NOT pg_has_role(relowner, 'USAGE')",
                [.int(policy.tableOID)]
            ).first?.value()
            return owner.map { owner in
                Refusal(
                    code: "policy-owner", object: tables.first?.source.description ?? "",
                    what:
                        "the \(policy.title) refers to it, and our role has not the privileges of \(owner), whose table that is",
                    why: "the policy is bound to the new table in the cut-over, which takes the owner's privileges",
                    fix: "connect as \(owner) or as a superuser; or \(policy.drop);")
            }
        }
    }

    func tryOut(_ tables: [MigratedTable], on connection: isolated PgConnection) throws {
        guard let schema = tables.first?.green.schema else { return }
        let rebinding = Rebinding(tables: tables)
        let policies = try rebinding.printing(on: connection) { connection in
            try Policy.read(tables.map(\.sourceOID), ofOthers: true, on: connection)
        }
        let refusals = try policies.compactMap { policy -> Refusal? in
            let copy = QualifiedName(schema: schema, name: policy.table.name)
            let columns = try ColumnFacts.read(policy.tableOID, on: connection)
            let statements = [copy.definition(columns)] + policy.create(on: copy)
            let error = try rebinding.reading(on: connection) { try $0.rejection(of: statements) }
            return error.map { policy.refusal($0, table: tables.first?.source) }
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }
}

extension Policy {
    func refusal(_ error: PgError, table: QualifiedName?) -> Refusal {
        Refusal(
            code: "policy-not-possible", object: (table ?? self.table).description,
            what: "the \(title) cannot be made after the change",
            why: "PostgreSQL says: \(error.message)\(error.detail.map { " (\($0))" } ?? "")",
            fix: "drop the policy first: \(drop);")
    }
}

extension QualifiedName {
    /// CREATE TABLE with these columns' names, types and collations, and nothing else of them.
    func definition(_ columns: [ColumnFacts]) -> String {
        let list = columns.map { column in
            "\(Quoting.identifier(column.name)) \(column.type)" + (column.collation.map { " COLLATE \($0)" } ?? "")
        }
        return "CREATE TABLE \(sql) (\(list.joined(separator: ", ")))"
    }
}
