import PgConnection

/// What stands in the way of policies, the tables' own and those of others that refer to them.
struct PolicyRefusals {
    let tables: [MigratedTable]

    func find(_ policies: [Policy], on connection: isolated PgConnection) throws -> [Refusal] {
        try policies.flatMap { policy in
            try columns(policy, on: connection) + detours(policy, on: connection)
        }
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

    /// A materialized view that is bound to a migrated table is dropped in the cut-over. It cannot be while a policy uses it. (Of views and
    /// functions `QueryRefusals` knows which of them are.)
    private func detours(_ policy: Policy, on connection: isolated PgConnection) throws -> [Refusal] {
        try connection.query(
            """
            WITH RECURSIVE bound (classid, objid) AS (
                SELECT 'pg_class'::regclass::oid, t FROM unnest($2::oid[]) t
                UNION SELECT 'pg_type'::regclass, y.oid FROM pg_type y LEFT JOIN pg_type e ON e.oid = y.typelem AND y.typcategory = 'A'
                    WHERE y.typrelid = ANY ($2::oid[]) OR e.typrelid = ANY ($2::oid[])
                UNION SELECT CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END, coalesce(r.ev_class, d.objid)
                FROM bound b JOIN pg_depend d ON d.refclassid = b.classid AND d.refobjid = b.objid
                LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
                WHERE r.oid IS NOT NULL OR d.classid = 'pg_proc'::regclass)
            SELECT DISTINCT pg_describe_object(b.classid, b.objid, 0) AS what
            FROM pg_depend d JOIN bound b ON b.classid = d.refclassid AND b.objid = d.refobjid
            JOIN pg_class m ON b.classid = 'pg_class'::regclass AND m.oid = b.objid AND m.relkind = 'm'
            WHERE d.classid = 'pg_policy'::regclass AND d.objid = $1 ORDER BY 1
            """, [.int(policy.oid), .array(tables.map { String($0.sourceOID) })]
        ).rows.map { row in
            let what: String = try row.get("what")
            return Refusal(
                code: "policy-detour", object: tables.first?.source.description ?? "",
                what: "the \(policy.title) uses the \(what), which is bound to it",
                why: "the cut-over exchanges that as well, and it cannot be dropped while a policy uses it",
                fix: "\(policy.drop);  -- for the duration; or let the policy read the table itself")
        }
    }
}
