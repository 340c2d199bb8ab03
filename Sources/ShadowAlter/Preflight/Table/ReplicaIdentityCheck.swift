import PgConnection

/// UPDATE and DELETE keep working once the table is published, and say which row they mean.
///
/// PostgreSQL refuses both on a published table without a usable replica identity (CheckCmdReplicaIdentity in
/// src/backend/executor/execReplication.c): the application's writes would fail.
struct ReplicaIdentityCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        let row = try connection.query(
            """
            WITH unique_index AS (
                SELECT i.*, quote_ident(x.relname) AS name,
                    i.indisvalid AND i.indisready AND i.indislive AND i.indimmediate AS usable,
                    i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
                        SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, position)
                        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                        WHERE k.position <= i.indnkeyatts AND NOT a.attnotnull) AS identifies
                FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                WHERE i.indrelid = $1 AND i.indisunique)
            SELECT t.relreplident AS identity,
                (SELECT name FROM unique_index WHERE indisprimary) AS primary_key,
                coalesce((SELECT usable FROM unique_index WHERE indisprimary), false) AS primary_key_usable,
                coalesce((SELECT bool_or(usable) FROM unique_index WHERE indisreplident), false) AS chosen_usable,
                (SELECT name FROM unique_index WHERE usable AND identifies
                    ORDER BY indisprimary DESC, indnkeyatts, indexrelid LIMIT 1) AS candidate
            FROM pg_catalog.pg_class t WHERE t.oid = $1
            """, [.int(table.oid)]
        ).single()
        let candidate: String? = try row.optional("candidate")
        let primaryKey: String? = try row.optional("primary_key")
        let primaryKeyUsable: Bool = try row.get("primary_key_usable")
        let alter = "ALTER TABLE \(table.name)"
        // PostgreSQL needs no further setting where the primary key serves.
        let remedy =
            primaryKeyUsable
            ? "\(alter) REPLICA IDENTITY DEFAULT;"
            : candidate.map { "\(alter) REPLICA IDENTITY USING INDEX \($0);" }
                ?? "\(alter) ADD PRIMARY KEY (…);  -- on columns that identify a row"
        let finding = { (code: String, what: String, fix: String) in
            Finding(
                Refusal(
                    code: code, object: table.name, what: what,
                    why:
                        "without a replica identity PostgreSQL refuses UPDATE and DELETE on a published table, and the change "
                        + "stream does not say which row was changed", fix: fix))
        }
        switch try row.get("identity", as: String.self) {
        case "n":
            return [finding("replica-identity-nothing", "has REPLICA IDENTITY NOTHING", remedy)]
        case "i" where try !row.get("chosen_usable", as: Bool.self):
            return [
                finding(
                    "replica-identity-index", "has REPLICA IDENTITY USING INDEX, and that index is gone or invalid",
                    remedy)
            ]
        case "d" where primaryKey == nil:
            return [finding("no-primary-key", "has no primary key, and REPLICA IDENTITY DEFAULT relies on it", remedy)]
        case "d" where !primaryKeyUsable:
            let name = primaryKey ?? ""
            return [
                finding(
                    "deferrable-primary-key",
                    "has a DEFERRABLE primary key (\(name)), which cannot be a replica identity",
                    candidate == nil
                        ? "CREATE UNIQUE INDEX CONCURRENTLY … ON \(table.name) (…);  -- on the same columns, then "
                            + "\(alter) REPLICA IDENTITY USING INDEX …;" : remedy)
            ]
        case "f" where candidate == nil:
            return [
                finding(
                    "no-unique-key",
                    "has REPLICA IDENTITY FULL, and no unique index over NOT NULL columns (valid, not deferrable, not partial, "
                        + "without expressions)", "\(alter) ADD PRIMARY KEY (…);  -- on columns that identify a row")
            ]
        default:
            return []
        }
    }
}
