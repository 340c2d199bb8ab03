import PgConnection

/// The tables' own policies, on the new tables: made early, because they have no effect on a table that nobody uses, and after the user's
/// change, because PostgreSQL changes no column's type while a policy uses it.
///
/// What they say of the tables themselves is bound to the new ones.
struct Policies {
    let tables: [MigratedTable]

    /// Throws `Refused` for those that PostgreSQL does not accept on the new table, and when our role could not write to it.
    func create(on connection: isolated PgConnection) throws {
        let rebinding = Rebinding(tables: tables)
        let policies = try rebinding.printing(on: connection) { connection in
            try Policy.read(tables.map(\.sourceOID), on: connection)
        }
        var refusals = try PolicyRefusals(tables: tables).find(policies, on: connection)
        guard refusals.isEmpty else { throw Refused(refusals) }
        for policy in policies {
            guard let table = tables.first(where: { $0.sourceOID == policy.tableOID }) else { continue }
            let statements = policy.create(on: table.green)
            try rebinding.reading(on: connection) { connection in
                if let error = try connection.rejection(of: statements) {
                    refusals.append(policy.refusal(error, table: nil))
                } else {
                    for statement in statements { try connection.execute(statement) }
                }
            }
        }
        refusals += try tables.compactMap {
            try RowSecurityCheck.refusal($0.greenOID, of: $0.source.description, on: connection)
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }
}
