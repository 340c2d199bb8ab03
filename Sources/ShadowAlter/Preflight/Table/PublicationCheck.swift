import PgConnection

/// The table is in no publication of the user's.
struct PublicationCheck: TableCheck {
    func findings(for table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try members(table, on: connection) + everything(table, on: connection) + inSchema(table, on: connection)
    }

    /// Without a migration's own publication: its name is the prefix and 16 hexadecimal digits (see `Opening`).
    private func members(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try table.query(
            """
            SELECT quote_ident(p.pubname) AS name, 'pg_catalog.pg_publication_rel'::regclass::oid AS classid, r.oid AS objid
            FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
            WHERE r.prrelid = $1 AND p.pubname !~ '^shadow_alter_[0-9a-f]{16}$' ORDER BY p.pubname
            """, on: connection
        ).map { row in
            let name: String = try row.get("name")
            return Finding(
                .notCarriedOver(
                    code: "published", object: table.name, what: "is in the publication \(name)",
                    these: "publication membership",
                    remove: "ALTER PUBLICATION \(name) DROP TABLE \(table.name)"), covers: [try CatalogAddress(row)])
        }
    }

    private func everything(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        try connection.query(
            "SELECT quote_ident(pubname) AS name FROM pg_catalog.pg_publication WHERE puballtables ORDER BY pubname"
        ).rows.map { row in
            let name: String = try row.get("name")
            return Finding(
                Refusal(
                    code: "published-all-tables", object: table.name, what: "the publication \(name) is FOR ALL TABLES",
                    why:
                        "it would publish the new table's rows under its own name while it is being built, and subscribers "
                        + "that lack that table would stop with an error",
                    fix:
                        "DROP PUBLICATION \(name);  -- and replace it by one that lists its tables, without \(table.name)"
                ))
        }
    }

    /// PostgreSQL 15+.
    private func inSchema(_ table: InspectedTable, on connection: isolated PgConnection) throws -> [Finding] {
        guard connection.serverVersion.major >= 15 else { return [] }
        return try connection.query(
            """
            SELECT quote_ident(p.pubname) AS name
            FROM pg_catalog.pg_publication_namespace s JOIN pg_catalog.pg_publication p ON p.oid = s.pnpubid
            WHERE s.pnnspid = $1 ORDER BY p.pubname
            """, [.int(table.schemaOID)]
        ).rows.map { row in
            let name: String = try row.get("name")
            return Finding(
                Refusal(
                    code: "published-schema", object: table.name,
                    what: "the publication \(name) is FOR TABLES IN SCHEMA \(table.schema)",
                    why:
                        "it would publish the old table no more and the new one without its earlier rows from the cut-over on",
                    fix:
                        "ALTER PUBLICATION \(name) DROP TABLES IN SCHEMA \(table.schema);  -- and add the other tables by name"
                ))
        }
    }
}
