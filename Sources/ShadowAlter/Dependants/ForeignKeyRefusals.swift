import PgConnection

/// What stands in the way of carrying foreign keys over, beside what only a trial can tell.
struct ForeignKeyRefusals {
    let tables: [MigratedTable]
    let keys: [ForeignKey]

    func find(on connection: isolated PgConnection) throws -> [Refusal] {
        keys.flatMap {
            droppedColumns($0) + (partitioned($0, version: connection.serverVersion.major).map { [$0] } ?? [])
        }
            + (try partitionsOfTheirOwn(on: connection)) + (try silenced(on: connection))
            + (try privileges(on: connection))
    }

    private func refusal(
        _ key: ForeignKey, _ code: String, _ what: String, _ why: String, _ fix: String
    ) -> Refusal {
        let table =
            tables.first { $0.sourceOID == key.referencing.oid } ?? tables.first { $0.sourceOID == key.referenced.oid }
        return Refusal(
            code: code, object: table?.source.description ?? key.referencing.table.description, what: what, why: why,
            fix: fix)
    }

    private func droppedColumns(_ key: ForeignKey) -> [Refusal] {
        [key.referencing, key.referenced].flatMap { end -> [Refusal] in
            guard let table = tables.first(where: { $0.sourceOID == end.oid }) else { return [] }
            return end.columns.filter { table.greenName(of: $0) == nil }.map { column in
                refusal(
                    key, "foreign-key-column", "the change drops the column \(column), which the \(key.title) uses",
                    "the foreign key would have to go with it", "drop the foreign key first: \(key.drop());")
            }
        }
    }

    private func partitioned(_ key: ForeignKey, version: Int) -> Refusal? {
        guard version < 18 else { return nil }
        if let table = tables.first(where: { $0.sourceOID == key.referencing.oid }) {
            guard !table.leaves.isEmpty, key.isSelfReferencing || !key.isValidated else { return nil }
        } else {
            guard key.referencing.isPartitioned else { return nil }
        }
        return refusal(
            key, "foreign-key-partitioned",
            "the \(key.title) belongs to a partitioned table"
                + (key.isSelfReferencing ? " and refers to it" : key.isValidated ? "" : " and is not valid"),
            "before PostgreSQL 18 a partitioned table cannot have a foreign key that is NOT VALID: all its rows would be checked "
                + "under the lock of the cut-over",
            "\(key.drop());  -- for the duration; or upgrade to PostgreSQL 18")
    }

    /// PostgreSQL makes the partitions' constraints with the partitioned table's.
    private func partitionsOfTheirOwn(on connection: isolated PgConnection) throws -> [Refusal] {
        try keys.filter(\.referencing.isPartitioned).flatMap { key in
            try connection.query(
                """
                WITH RECURSIVE part AS (
                    SELECT oid, conrelid, confrelid, conname, convalidated FROM pg_constraint WHERE conparentid = $1
                    UNION ALL SELECT c.oid, c.conrelid, c.confrelid, c.conname, c.convalidated FROM pg_constraint c JOIN part p ON c.conparentid = p.oid)
                SELECT p.conrelid::regclass::text AS partition, quote_ident(p.conname) AS name
                FROM part p JOIN pg_constraint k ON k.oid = $1
                WHERE p.confrelid = k.confrelid AND (p.conname <> k.conname OR p.convalidated <> k.convalidated
                    OR obj_description(p.oid, 'pg_constraint') IS NOT NULL)
                ORDER BY 1, 2
                """, [.int(key.oid)]
            ).rows.map { row in
                let partition: String = try row.get("partition")
                let name: String = try row.get("name")
                return refusal(
                    key, "foreign-key-partitioned",
                    "the partition \(partition) has the \(key.title) as \(name), with a name, a state or a comment of its own",
                    "PostgreSQL would make it like the partitioned table's",
                    "\(key.drop());  -- for the duration")
            }
        }
    }

    /// `DISABLE TRIGGER ALL` and `ENABLE REPLICA TRIGGER` reach the triggers that make up a foreign key, under names that change.
    private func silenced(on connection: isolated PgConnection) throws -> [Refusal] {
        try connection.query(
            """
            SELECT DISTINCT t.tgconstraint, t.tgrelid::regclass::text AS relation FROM pg_trigger t
            WHERE t.tgconstraint = ANY ($1::oid[]) AND t.tgisinternal AND t.tgenabled <> 'O' ORDER BY t.tgconstraint, relation
            """, [.array(keys.map { String($0.oid) })]
        ).rows.compactMap { row in
            let oid: UInt32 = try row.get("tgconstraint")
            let relation: String = try row.get("relation")
            return keys.first { $0.oid == oid }.map { key in
                refusal(
                    key, "foreign-key-disabled",
                    "the triggers of the \(key.title) on \(relation) are not enabled as usual",
                    "they would be after the swap, and the foreign key would be checked",
                    "ALTER TABLE \(relation) ENABLE TRIGGER ALL;  -- or drop the foreign key")
            }
        }
    }

    /// What our role needs on the tables at the other ends.
    private func privileges(on connection: isolated PgConnection) throws -> [Refusal] {
        try keys.flatMap { key -> [Refusal] in
            try lacking(key, end: key.referencing, "ownership of", "pg_has_role(c.relowner, 'USAGE')", on: connection)
                + lacking(
                    key, end: key.referenced, "the privileges REFERENCES and UPDATE on",
                    "has_table_privilege(c.oid, 'REFERENCES') AND has_table_privilege(c.oid, 'UPDATE')", on: connection)
        }
    }

    private func lacking(
        _ key: ForeignKey, end: ForeignKey.End, _ needed: String, _ condition: String,
        on connection: isolated PgConnection
    ) throws -> [Refusal] {
        guard !tables.contains(where: { $0.sourceOID == end.oid }) else { return [] }
        let row = try connection.query(
            """
            SELECT \(condition) AND has_schema_privilege(c.relnamespace, 'USAGE') AS suffices, quote_ident(current_user) AS role,
                quote_ident(pg_get_userbyid(c.relowner)) AS owner
            FROM pg_class c WHERE c.oid = $1
            """, [.int(end.oid)]
        ).single()
        guard try !row.get("suffices", as: Bool.self) else { return [] }
        let role: String = try row.get("role")
        let owner: String = try row.get("owner")
        return [
            refusal(
                key, "foreign-key-privilege",
                "role \(role) lacks \(needed) \(end.table), which the \(key.title) needs to be made anew",
                "the foreign key is dropped and added again at the cut-over, with both tables locked",
                "GRANT \(owner) TO \(role);  -- or connect as a superuser")
        ]
    }
}
