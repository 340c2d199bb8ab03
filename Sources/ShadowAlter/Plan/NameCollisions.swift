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
        for tried in tables {
            let table = tried.clone
            let staying = try tables.flatMap { try sharedSequences($0, on: connection) }
            let rows = try connection.query(
                member + """
                    , partition AS (SELECT relid FROM pg_partition_tree($2::oid::regclass) WHERE $5::bool AND relid <> $2::oid),
                    new AS (
                        SELECT c.relname AS name, 'relation' AS kind FROM pg_catalog.pg_index i
                            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                            WHERE i.indrelid = $2::oid OR i.indrelid IN (SELECT relid FROM partition)
                        UNION ALL
                        SELECT c.relname, 'relation' FROM partition p JOIN pg_catalog.pg_class c ON c.oid = p.relid
                        UNION ALL
                        -- Every table has two: of its rows, and of arrays of them.
                        SELECT y.typname, 'type' FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type y ON y.oid IN (t.oid, t.typarray)
                            WHERE t.typrelid = $2::oid OR t.typrelid IN (SELECT relid FROM partition)
                        UNION ALL
                        SELECT c.relname, 'relation' FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid
                            AND c.relkind = 'S' JOIN pg_catalog.pg_class g ON g.oid = d.refobjid AND g.relnamespace = c.relnamespace
                            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                                AND d.refobjid = $2::oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
                        UNION ALL
                        SELECT s.stxname, 'statistics object' FROM pg_catalog.pg_statistic_ext s
                            JOIN pg_catalog.pg_class g ON g.oid = s.stxrelid AND g.relnamespace = s.stxnamespace WHERE s.stxrelid = $2::oid),
                    present AS (
                        SELECT c.oid, c.relname AS name, 'relation' AS kind FROM pg_catalog.pg_class c
                            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $3
                        UNION ALL
                        SELECT t.oid, t.typname, 'type' FROM pg_catalog.pg_type t
                            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $3
                        UNION ALL
                        SELECT s.oid, s.stxname, 'statistics object' FROM pg_catalog.pg_statistic_ext s
                            JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname = $3)
                    SELECT new.name, new.kind FROM new JOIN present p ON p.name = new.name AND p.kind = new.kind
                    WHERE NOT EXISTS (SELECT FROM member m WHERE m.kind = p.kind AND m.oid = p.oid AND m.name <> ALL ($4::name[]))
                    ORDER BY 1
                    """,
                [
                    .array(tables.map { String($0.clone.sourceOID) }), .int(table.greenOID), .text(table.source.schema),
                    .array(staying), .bool(tried.isReplaced),
                ])
            let refusals = try Self.telling(rows).map { row in
                Refusal(
                    code: "name-taken", object: "\(table.source.schema).\(try row.get("name", as: String.self))",
                    what:
                        "the changed \(table.source) has a \(try row.get("kind", as: String.self)) of this name, and there is one already",
                    why: "at the cut-over both would be in one schema", fix: "give the new one another name")
            }
            guard refusals.isEmpty else { throw Refused(refusals) }
        }
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
