import PgConnection

/// What stands in the way of policies, the tables' own and those of others that refer to them.
struct PolicyRefusals {
    let tables: [MigratedTable]

    func find(_ policies: [Policy], on connection: isolated PgConnection) throws -> [Refusal] {
        try policies.flatMap { try columns($0, on: connection) }
    }

    private func columns(_ policy: Policy, on connection: isolated PgConnection) throws -> [Refusal] {
        let used = try connection.query(
            """
            SELECT DISTINCT d.refobjid, a.attname FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_policy'::regclass AND d.objid = $1 AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = ANY ($2::oid[]) AND d.refobjsubid > 0 ORDER BY d.refobjid, a.attname
            """, [.int(policy.oid), .array(tables.map { String($0.sourceOID) })]
        ).rows.map { (try $0.get("refobjid", as: UInt32.self), try $0.get("attname", as: String.self)) }
        guard !used.isEmpty else { return [] }
        return tables.flatMap { table in
            table.refusals(
                for: used.filter { $0.0 == table.sourceOID }.map { $0.1 }, usedBy: policy.title, code: "policy-column",
                fix: "drop the policy first: \(policy.drop);")
        }
    }
}
