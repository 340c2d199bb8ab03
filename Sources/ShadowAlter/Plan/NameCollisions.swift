import PgConnection

/// Names that would meet on the way: all tables of a migration lie in one schema before the cut-over, and in one schema after it, together
/// with their indexes, sequences and statistics.
enum NameCollisions {
    /// What lies in the schema of a table and goes where the table goes: a CTE `member` with kind, name, schema and `relation`, the table's OID.
    private static let member = """
        WITH owned AS (
            SELECT d.objid AS oid, d.refobjid AS relation FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid = ANY ($1::oid[]) AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
            UNION ALL SELECT indexrelid, indrelid FROM pg_catalog.pg_index WHERE indrelid = ANY ($1::oid[])
            UNION ALL SELECT r, r FROM unnest($1::oid[]) r),
        member AS (
            SELECT 'relation' AS kind, c.oid, c.relname AS name, c.relnamespace AS schema, o.relation
            FROM owned o JOIN pg_catalog.pg_class c ON c.oid = o.oid
            UNION ALL
            SELECT 'statistics object', oid, stxname, stxnamespace, stxrelid
            FROM pg_catalog.pg_statistic_ext WHERE stxrelid = ANY ($1::oid[])
            UNION ALL
            SELECT 'type', y.oid, y.typname, y.typnamespace, t.typrelid
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type y ON y.oid IN (t.oid, t.typarray) WHERE t.typrelid = ANY ($1::oid[]))

        """

    /// Tables from different schemas may have names in common, which they cannot keep in one. Throws `Refused` before anything is cloned.
    static func check(_ tables: [PlannedTable], on connection: isolated PgConnection) throws {
        let rows = try connection.query(
            member + """
                SELECT m.kind, m.name, string_agg(DISTINCT format('%I.%I', n.nspname, c.relname), ' and ') AS tables
                FROM member m JOIN pg_catalog.pg_class c ON c.oid = m.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                GROUP BY m.kind, m.name HAVING count(DISTINCT m.relation) > 1 ORDER BY m.kind, m.name
                """, [.array(tables.map { String($0.sourceOID) })])
        let refusals = try Self.telling(rows).map { row in
            let tables: String = try row.get("tables")
            return Refusal(
                code: "same-name", object: try row.get("name"),
                what: "a \(try row.get("kind", as: String.self)) of this name belongs to \(tables)",
                why: "the tables of one migration lie in one schema until the cut-over, where a name is given once",
                fix: "rename one of the two beforehand, or change these tables one after the other")
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }

    /// What the change has added must find its name free in the schema that it will come to; otherwise the cut-over would fail, after all work.
    ///
    /// What the old tables take along to blue is no obstacle: they leave first.
    static func check(_ tables: [TriedTable], on connection: isolated PgConnection) throws {
        let staying = try tables.flatMap { try sharedSequences($0, on: connection) }
        let rows = try connection.query(
            member + """
                , input AS (
                    SELECT g AS green, s AS schema, r AS replaced, position
                    FROM unnest($2::oid[], $3::name[], $5::bool[]) WITH ORDINALITY u (g, s, r, position)),
                partition AS (
                    SELECT i.position, p.relid FROM input i CROSS JOIN LATERAL pg_partition_tree(CASE WHEN i.replaced THEN i.green END) p
                    WHERE p.relid <> i.green),
                new AS (
                    SELECT position, c.relname AS name, 'relation' AS kind
                        FROM (SELECT position, green AS oid FROM input UNION ALL SELECT position, relid FROM partition) t
                        JOIN pg_catalog.pg_index i ON i.indrelid = t.oid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                    UNION ALL
                    SELECT position, c.relname, 'relation' FROM partition p JOIN pg_catalog.pg_class c ON c.oid = p.relid
                    UNION ALL
                    -- Every table has two: of its rows, and of arrays of them.
                    SELECT position, y.typname, 'type'
                        FROM (SELECT position, green AS oid FROM input UNION ALL SELECT position, relid FROM partition) r
                        JOIN pg_catalog.pg_type t ON t.typrelid = r.oid
                        JOIN pg_catalog.pg_type y ON y.oid IN (t.oid, t.typarray)
                    UNION ALL
                    SELECT position, c.relname, 'relation' FROM input t JOIN pg_catalog.pg_depend d
                        ON d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                            AND d.refobjid = t.green AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
                        JOIN pg_catalog.pg_class g ON g.oid = d.refobjid
                        JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S' AND c.relnamespace = g.relnamespace
                    UNION ALL
                    SELECT position, s.stxname, 'statistics object' FROM input t JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = t.green
                        JOIN pg_catalog.pg_class g ON g.oid = s.stxrelid AND g.relnamespace = s.stxnamespace),
                present AS (
                    SELECT n.nspname AS schema, c.oid, c.relname AS name, 'relation' AS kind FROM pg_catalog.pg_class c
                        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN (SELECT schema FROM input)
                    UNION ALL
                    SELECT n.nspname, t.oid, t.typname, 'type' FROM pg_catalog.pg_type t
                        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                        WHERE n.nspname IN (SELECT schema FROM input)
                    UNION ALL
                    SELECT n.nspname, s.oid, s.stxname, 'statistics object' FROM pg_catalog.pg_statistic_ext s
                        JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname IN (SELECT schema FROM input))
                SELECT new.position - 1 AS position, new.name, new.kind FROM new JOIN input i USING (position)
                JOIN present p ON p.name = new.name AND p.kind = new.kind AND p.schema = i.schema
                WHERE NOT EXISTS (SELECT FROM member m WHERE m.kind = p.kind AND m.oid = p.oid AND m.name <> ALL ($4::name[]))
                ORDER BY new.position, new.name
                """,
            [
                .array(tables.map { String($0.clone.sourceOID) }), .array(tables.map { String($0.clone.greenOID) }),
                .array(tables.map(\.clone.table.source.schema)), .array(staying),
                .array(tables.map { $0.isReplaced ? "t" : "f" }),
            ])
        let refusals = try Self.telling(rows).map { row in
            let source = tables[try row.get("position", as: Int.self)].clone.source
            return Refusal(
                code: "name-taken", object: "\(source.schema).\(try row.get("name", as: String.self))",
                what:
                    "the changed \(source) has a \(try row.get("kind", as: String.self)) of this name, and there is one already",
                why: "at the cut-over both would be in one schema", fix: "give the new one another name")
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
    }

    /// A table's name says enough; of its types only those that meet alone are told.
    private static func telling(_ rows: PgResult) throws -> [PgRow] {
        let (types, others) = try rows.rows.reduce(into: ([PgRow](), [PgRow]())) { lists, row in
            if try row.get("kind", as: String.self) == "type" { lists.0.append(row) } else { lists.1.append(row) }
        }
        return others.isEmpty ? types : others
    }

    /// The names of the sequences that stay where they are, because the new table goes on with them.
    private static func sharedSequences(
        _ table: TriedTable, on connection: isolated PgConnection
    ) throws -> [String] {
        try SequenceReader(table).read(on: connection).sequences.compactMap { sequence in
            if case .serial(let name, .some) = sequence { name.name } else { nil }
        }
    }
}
