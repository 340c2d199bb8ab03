import PgConnection

/// A publication that a table is in without being listed: of all tables, or of all in its schema.
struct WidePublication: Sendable, Equatable {
    enum Extent: Sendable, Equatable {
        case allTables
        /// As it is named in SQL.
        case schema(String)
    }

    var publication: PublicationMembership.Publication
    var extent: Extent

    var description: String {
        switch extent {
        case .allTables: "publication \(publication.shown), which is FOR ALL TABLES"
        case .schema(let name): "publication \(publication.shown), which is FOR TABLES IN SCHEMA \(name)"
        }
    }

    /// As if the table was listed, for what is the same then.
    var membership: PublicationMembership {
        PublicationMembership(publication: publication, columns: nil, filter: nil, mentioned: [])
    }

    /// Those that a table is in, in the order of their names.
    static func read(_ table: UInt32, on connection: isolated PgConnection) throws -> [WidePublication] {
        let version = connection.serverVersion.major
        let columns = PublicationMembership.Publication.columns(version)
        let all = "SELECT \(columns), NULL::text AS schema FROM pg_publication p WHERE p.puballtables"
        let inSchema = """
            UNION ALL SELECT \(columns), quote_ident(n.nspname) FROM pg_publication p
            JOIN pg_publication_namespace s ON s.pnpubid = p.oid JOIN pg_namespace n ON n.oid = s.pnnspid
            JOIN pg_class c ON c.relnamespace = n.oid WHERE c.oid = $1
            """
        return try connection.query(
            """
            SELECT * FROM (\(all) \(version >= 15 ? inSchema : "")) p
            WHERE $1::oid IS NOT NULL AND NOT \(PublicationMembership.Publication.isOurs) ORDER BY p.pubname
            """, [.int(table)]
        ).rows.map { row in
            let schema: String? = try row.optional("schema")
            return WidePublication(
                publication: try PublicationMembership.Publication(row),
                extent: schema.map { .schema($0) } ?? .allTables)
        }
    }
}
