import PgConnection

/// What stands in the way of policies, the tables' own and those of others that refer to them.
struct PolicyRefusals {
    let tables: [MigratedTable]

    func find(_ policies: [Policy], on connection: isolated PgConnection) throws -> [Refusal] {
        try policies.flatMap { try columns($0, on: connection) }
    }

    private func columns(_ policy: Policy, on connection: isolated PgConnection) throws -> [Refusal] {
        try tables.flatMap { table in
            let used: [String] = try connection.query(
                """
                SELECT DISTINCT a.attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_policy'::regclass AND d.objid = $1 AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $2
                    AND d.refobjsubid > 0 ORDER BY 1
                """, [.int(policy.oid), .int(table.sourceOID)]
            ).rows.map { try $0.value() }
            return table.refusals(
                for: used, usedBy: policy.title, code: "policy-column", fix: "drop the policy first: \(policy.drop);")
        }
    }
}
