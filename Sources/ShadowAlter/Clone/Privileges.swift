import PgConnection

/// The privileges on the table, its row type, its columns and its identity sequences, exactly: what default privileges have added is taken away first.
struct Privileges {
    let sourceOID: UInt32
    let greenOID: UInt32

    func copy(on connection: isolated PgConnection) throws {
        for target in try targets(on: connection) {
            try revokeAll(from: target, on: connection)
            // NULL stands for the owner's default privileges.
            if let list = target.sourceACL { try grant(list, on: target, connection) }
        }
        try copyColumns(on: connection)
    }

    private struct Target {
        var kind: String
        var name: String
        var owner: String
        var sourceACL: String?
        var greenACL: String?
        var isTable: Bool
    }

    /// The table, its row type, and the sequences that stand behind columns of the same name.
    private func targets(on connection: isolated PgConnection) throws -> [Target] {
        try connection.query(
            """
            WITH owned AS (
                SELECT d.refobjid AS relation, d.refobjsubid AS number, s.oid, s.relname, s.relacl, s.relnamespace, s.relowner
                FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i')
            SELECT 'TABLE' AS kind, format('%I.%I', n.nspname, g.relname) AS name, pg_get_userbyid(g.relowner) AS owner,
                s.relacl::text AS source_acl, g.relacl::text AS green_acl
            FROM pg_class s, pg_class g JOIN pg_namespace n ON n.oid = g.relnamespace WHERE s.oid = $1::oid AND g.oid = $2::oid
            UNION ALL
            -- Everybody may use a type, unless something else is said.
            SELECT 'TYPE', format('%I.%I', n.nspname, g.relname), pg_get_userbyid(g.relowner), s.typacl::text,
                CASE WHEN s.typacl IS NULL THEN t.typacl ELSE coalesce(t.typacl, acldefault('T', t.typowner)) END::text
            FROM pg_type s, pg_type t JOIN pg_class g ON g.oid = t.typrelid JOIN pg_namespace n ON n.oid = g.relnamespace
            WHERE s.typrelid = $1::oid AND g.oid = $2::oid
            UNION ALL
            SELECT 'SEQUENCE', format('%I.%I', n.nspname, g.relname), pg_get_userbyid(g.relowner), s.relacl::text, g.relacl::text
            FROM owned s JOIN owned g ON g.relname = s.relname JOIN pg_namespace n ON n.oid = g.relnamespace
            WHERE s.relation = $1::oid AND g.relation = $2::oid
            """, [.int(sourceOID), .int(greenOID)]
        ).rows.map { row in
            let kind: String = try row.get("kind")
            return Target(
                kind: kind, name: try row.get("name"), owner: try row.get("owner"),
                sourceACL: try row.optional("source_acl"),
                greenACL: try row.optional("green_acl"), isTable: kind == "TABLE")
        }
    }

    private func revokeAll(from target: Target, on connection: isolated PgConnection) throws {
        guard target.greenACL != nil || target.sourceACL != nil else { return }
        let grantees = try connection.query(
            """
            SELECT DISTINCT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
            FROM aclexplode(nullif($1, '{}')::aclitem[]) WHERE grantee <> $2::regrole
            """, [.text(target.greenACL), .text(Quoting.identifier(target.owner))])
        for grantee in grantees.rows {
            try connection.execute(
                "REVOKE ALL ON \(target.kind) \(target.name) FROM \(try grantee.value(as: String.self))")
        }
        if target.sourceACL != nil {
            try connection.execute(
                "REVOKE ALL ON \(target.kind) \(target.name) FROM \(Quoting.identifier(target.owner))")
        }
    }

    private func grant(_ list: String, on target: Target, _ connection: isolated PgConnection) throws {
        for entry in try PrivilegeEntry.read(list, on: connection) {
            try grant(entry, on: "\(target.kind) \(target.name)", owner: target.owner, connection)
        }
    }

    private func copyColumns(on connection: isolated PgConnection) throws {
        let columns = try connection.query(
            """
            SELECT s.attname AS name, s.attacl::text AS acl, format('%I.%I', n.nspname, g.relname) AS green,
                pg_get_userbyid(g.relowner) AS owner
            FROM pg_attribute s, pg_class g JOIN pg_namespace n ON n.oid = g.relnamespace
            JOIN pg_attribute c ON c.attrelid = g.oid AND NOT c.attisdropped
            WHERE c.attname = s.attname AND s.attrelid = $1::oid AND s.attacl IS NOT NULL AND s.attnum > 0 AND NOT s.attisdropped AND g.oid = $2::oid
            """, [.int(sourceOID), .int(greenOID)])
        for column in columns.rows {
            let green: String = try column.get("green")
            for entry in try PrivilegeEntry.read(column.get("acl"), on: connection) {
                try grant(
                    entry, on: "TABLE \(green)", column: column.get("name"), owner: column.get("owner"), connection)
            }
        }
    }

    private func grant(
        _ entry: PrivilegeEntry, on target: String, column: String? = nil, owner: String,
        _ connection: isolated PgConnection
    ) throws {
        if entry.grantor != owner {
            // Whoever grants something must reach it.
            let schema: String = try connection.query(
                "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1",
                [.int(greenOID)]
            ).single().value()
            try connection.execute("GRANT USAGE ON SCHEMA \(schema) TO \(Quoting.identifier(entry.grantor))")
        }
        for statement in entry.grant(on: target, column: column, owner: owner) { try connection.execute(statement) }
    }
}
