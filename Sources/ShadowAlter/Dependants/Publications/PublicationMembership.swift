import PgConnection

/// A table's entry in a publication.
struct PublicationMembership: Sendable, Equatable {
    var publication: Publication
    /// nil: all columns. PostgreSQL 15+, as the filter.
    var columns: [String]?
    var filter: String?
    /// The columns that the list and the filter name.
    var mentioned: [String]

    /// What is published of all tables of a publication.
    struct Publication: Sendable, Equatable {
        var name: String
        /// As a person types it.
        var shown: String
        /// `insert, update, delete, truncate`, or some of them.
        var actions: [String]
        /// Whether the changes of partitions go by the name of the partitioned table.
        var viaRoot: Bool
        /// Whether stored generated columns are published without being listed. PostgreSQL 18.
        var withGenerated: Bool
        /// The owner, quoted where it needs it, where our role has not their privileges.
        var foreignOwner: String?

        var quoted: String { Quoting.identifier(name) }
    }

    /// A partitioned table has no other descendants than partitions, and these are not listed with it: ONLY is right for every table.
    func drop(_ table: QualifiedName) -> String {
        "ALTER PUBLICATION \(publication.quoted) DROP TABLE ONLY \(table.sql)"
    }

    func add(_ table: QualifiedName) -> String {
        "ALTER PUBLICATION \(publication.quoted) ADD TABLE \(entry(table))"
    }

    /// A publication of its own with the same entry.
    func trial(_ table: QualifiedName, name: String) -> String {
        let actions = Quoting.literal(publication.actions.joined(separator: ", "))
        var options = "publish = \(actions), publish_via_partition_root = \(publication.viaRoot)"
        if publication.withGenerated { options += ", publish_generated_columns = stored" }
        return "CREATE PUBLICATION \(Quoting.identifier(name)) FOR TABLE \(entry(table)) WITH (\(options))"
    }

    private func entry(_ table: QualifiedName) -> String {
        "ONLY \(table.sql)" + (columns.map { " (\(Quoting.identifiers($0)))" } ?? "")
            + (filter.map { " WHERE (\($0))" } ?? "")
    }
}

extension PublicationMembership {
    /// Those of a table, in the order of the publications' names.
    static func read(_ table: UInt32, on connection: isolated PgConnection) throws -> [PublicationMembership] {
        let hasLists = connection.serverVersion.major >= 15
        let columns = """
            CASE WHEN r.prattrs IS NOT NULL THEN ARRAY(SELECT a.attname::text
                FROM unnest(r.prattrs::int2[]) WITH ORDINALITY u (number, position)
                JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = u.number ORDER BY u.position) END
            """
        return try connection.query(
            """
            SELECT \(Publication.columns(connection.serverVersion.major)),
                \(hasLists ? columns : "NULL::text[]") AS columns,
                \(hasLists ? "pg_get_expr(r.prqual, r.prrelid)" : "NULL::text") AS filter,
                ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE d.classid = 'pg_publication_rel'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
                        AND d.refobjid = r.prrelid AND d.refobjsubid > 0 ORDER BY 1) AS mentioned
            FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
            WHERE r.prrelid = $1 AND NOT \(Publication.isOurs) ORDER BY p.pubname
            """, [.int(table)]
        ).rows.map { row in
            PublicationMembership(
                publication: try Publication(row), columns: try row.optional("columns"),
                filter: try row.optional("filter"), mentioned: try row.get("mentioned"))
        }
    }
}

extension PublicationMembership.Publication {
    /// Whether `p` is a migration's own: the name is the prefix and 16 hexadecimal digits (see `Opening`).
    static let isOurs = "(p.pubname ~ '^shadow_alter_[0-9a-f]{16}$')"

    /// Of `pg_publication p`, for `init(_:)`.
    static func columns(_ version: Int) -> String {
        """
        p.pubname, quote_ident(p.pubname) AS shown, p.pubviaroot, \(version >= 18 ? "p.pubgencols = 's'" : "false") AS with_generated,
            array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END], NULL) AS actions,
            CASE WHEN NOT pg_has_role(p.pubowner, 'USAGE') THEN quote_ident(pg_get_userbyid(p.pubowner)) END AS owner
        """
    }

    init(_ row: PgRow) throws {
        name = try row.get("pubname")
        shown = try row.get("shown")
        actions = try row.get("actions")
        viaRoot = try row.get("pubviaroot")
        withGenerated = try row.get("with_generated")
        foreignOwner = try row.optional("owner")
    }
}
