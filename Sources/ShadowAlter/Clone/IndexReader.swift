import PgConnection

/// An index with everything that belongs to it, as the catalogs have it.
struct IndexFacts: Sendable, Equatable {
    enum Backing: Sendable, Equatable {
        /// No constraint stands on it.
        case none
        /// PRIMARY KEY or UNIQUE: built as an index, then attached. `attributes` is what follows (`DEFERRABLE …`).
        case attachable(kind: String, attributes: String)
        /// EXCLUDE, or a temporal key (PostgreSQL 18): only ADD CONSTRAINT can make it.
        case whole(definition: String)
    }

    var name: String
    /// `pg_get_indexdef` without its beginning, which names the table: from USING on.
    var tail: String
    var isUnique: Bool
    var isPrimary: Bool
    var isImmediate: Bool
    var isClustered: Bool
    var isReplicaIdentity: Bool
    /// The columns, when the index has neither a predicate nor expressions; nil otherwise.
    var plainColumns: [String]?
    var backing: Backing
    /// Empty for the database's.
    var tablespace: String
    var bytes: Int64
    /// What comparing two entries costs, roughly: 1 for each key column, 4 for one that compares by a collation.
    var comparisonCost: Int
    var statisticsTargets: [StatisticsTarget]
    var comment: String?
    var constraintComment: String?
    /// As `pg_get_constraintdef` prints it.
    var constraintDefinition: String?
    /// `pg_class.reloptions`
    var options: [String] = []
    /// The partitioned index that it is attached to, which is in the same schema.
    var parent: String?
    /// `ALTER INDEX … DEPENDS ON EXTENSION`
    var extensions: [String] = []

    struct StatisticsTarget: Sendable, Equatable {
        var column: Int
        var target: Int
    }

    /// CREATE INDEX on `table`; nil for what only ADD CONSTRAINT can make.
    func definition(on table: QualifiedName) -> String? {
        if case .whole = backing { return nil }
        return "CREATE \(isUnique ? "UNIQUE " : "")INDEX \(Quoting.identifier(name)) ON \(table.sql) \(tail)"
    }

    /// What is to be said once the index is there, in order.
    func finishing(on table: QualifiedName) -> [String] {
        let quoted = Quoting.identifier(name)
        var statements: [String] = []
        switch backing {
        case .none: break
        case .attachable(let kind, let attributes):
            statements.append(
                "ALTER TABLE \(table.sql) ADD CONSTRAINT \(quoted) \(kind) USING INDEX \(quoted)\(attributes)")
        case .whole(let definition):
            statements.append("ALTER TABLE \(table.sql) ADD CONSTRAINT \(quoted) \(definition)")
        }
        if isClustered { statements.append("ALTER TABLE \(table.sql) CLUSTER ON \(quoted)") }
        return statements + remarks(on: table)
    }

    /// What belongs to an index and builds nothing.
    func remarks(on table: QualifiedName) -> [String] {
        let quoted = Quoting.identifier(name)
        let index = QualifiedName(schema: table.schema, name: name).sql
        var statements: [String] = []
        if isReplicaIdentity { statements.append("ALTER TABLE \(table.sql) REPLICA IDENTITY USING INDEX \(quoted)") }
        statements += statisticsTargets.map {
            "ALTER INDEX \(index) ALTER COLUMN \($0.column) SET STATISTICS \($0.target)"
        }
        statements += extensions.map { "ALTER INDEX \(index) DEPENDS ON EXTENSION \(Quoting.identifier($0))" }
        if let comment { statements.append("COMMENT ON INDEX \(index) IS \(Quoting.literal(comment))") }
        if let constraintComment {
            statements.append(
                "COMMENT ON CONSTRAINT \(quoted) ON \(table.sql) IS \(Quoting.literal(constraintComment))")
        }
        return statements
    }

    /// Takes the index away, with the constraint that stands on it.
    func drop(from table: QualifiedName) -> String {
        switch backing {
        case .none: "DROP INDEX \(QualifiedName(schema: table.schema, name: name).sql)"
        case .attachable, .whole: "ALTER TABLE \(table.sql) DROP CONSTRAINT \(Quoting.identifier(name))"
        }
    }
}

enum IndexReader {
    /// All indexes of a table, the largest first.
    static func read(_ oid: UInt32, on connection: isolated PgConnection) throws -> [IndexFacts] {
        let temporal = connection.serverVersion.major >= 18 ? "k.conperiod" : "false"
        return try connection.query(
            """
            SELECT c.relname, pg_get_indexdef(i.indexrelid) AS definition,
                format('CREATE %sINDEX %I ON %s%I.%I ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname,
                    CASE c.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END, n.nspname, t.relname) AS head,
                i.indisunique, i.indisprimary, i.indimmediate, i.indisclustered, i.indisreplident,
                CASE WHEN i.indpred IS NULL AND i.indexprs IS NULL THEN
                    ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(attnum, position)
                          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
                          WHERE u.position <= i.indnkeyatts ORDER BY u.position) END AS columns,
                k.contype::text AS contype, k.condeferrable, k.condeferred, \(temporal) AS temporal, pg_get_constraintdef(k.oid) AS condef,
                coalesce(s.spcname, '') AS tablespace, pg_relation_size(i.indexrelid) AS bytes,
                (SELECT sum(CASE WHEN l = 0 THEN 1 ELSE 4 END) FROM unnest(i.indcollation::oid[]) l) AS comparison_cost,
                ARRAY(SELECT attnum || ':' || attstattarget FROM pg_attribute
                      WHERE attrelid = i.indexrelid AND nullif(attstattarget, -1) IS NOT NULL ORDER BY attnum) AS targets,
                c.reloptions, (SELECT p.relname FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent WHERE h.inhrelid = c.oid) AS parent,
                ARRAY(SELECT e.extname::text FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_extension'::regclass
                          AND d.deptype = 'x' ORDER BY 1) AS extensions,
                obj_description(i.indexrelid, 'pg_class') AS comment, obj_description(k.oid, 'pg_constraint') AS constraint_comment
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
            JOIN pg_namespace n ON n.oid = t.relnamespace LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
            LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
            WHERE i.indrelid = $1 ORDER BY pg_relation_size(i.indexrelid) DESC, c.relname
            """, [.int(oid)]
        ).rows.map { try facts($0) }
    }

    private static func facts(_ row: PgRow) throws -> IndexFacts {
        let name: String = try row.get("relname")
        let definition: String = try row.get("definition")
        let head: String = try row.get("head")
        guard definition.hasPrefix(head) else {
            throw MigrationError(
                .inconsistent, "the definition of index \(name) does not begin as expected: \(definition)",
                state: "nothing was changed", advice: "this is a bug: please report it with the server's version")
        }
        return IndexFacts(
            name: name, tail: String(definition.dropFirst(head.count)), isUnique: try row.get("indisunique"),
            isPrimary: try row.get("indisprimary"), isImmediate: try row.get("indimmediate"),
            isClustered: try row.get("indisclustered"), isReplicaIdentity: try row.get("indisreplident"),
            plainColumns: try row.optional("columns"), backing: try backing(row), tablespace: try row.get("tablespace"),
            bytes: try row.get("bytes"), comparisonCost: try row.get("comparison_cost"),
            statisticsTargets: try row.get("targets", as: [String].self).compactMap { target in
                let parts = target.split(separator: ":")
                guard parts.count == 2, let column = Int(parts[0]), let value = Int(parts[1]) else { return nil }
                return IndexFacts.StatisticsTarget(column: column, target: value)
            },
            comment: try row.optional("comment"), constraintComment: try row.optional("constraint_comment"),
            constraintDefinition: try row.optional("condef"), options: try row.optional("reloptions") ?? [],
            parent: try row.optional("parent"), extensions: try row.get("extensions"))
    }

    private static func backing(_ row: PgRow) throws -> IndexFacts.Backing {
        guard let kind: String = try row.optional("contype") else { return .none }
        if try kind == "x" || row.get("temporal") { return .whole(definition: try row.get("condef")) }
        let attributes =
            try row.get("condeferrable", as: Bool.self)
            ? (try row.get("condeferred", as: Bool.self) ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE") : ""
        return .attachable(kind: kind == "p" ? "PRIMARY KEY" : "UNIQUE", attributes: attributes)
    }
}
