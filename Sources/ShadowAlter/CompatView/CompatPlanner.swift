import PgConnection

/// Finds out, while the change is planned, how the old shape of the tables can be shown and written to.
struct CompatPlanner {
    let plan: MigrationPlan
    let tables: [TriedTable]

    /// The plan with the shapes. Throws `Refused` for what would come out wrong.
    static func plan(_ plan: MigrationPlan, _ tables: [TriedTable], on connection: isolated PgConnection) throws
        -> MigrationPlan
    {
        guard !plan.request.compatViews.isEmpty else { return plan }
        return try Self(plan: plan, tables: tables).run(on: connection)
    }

    private func run(on connection: isolated PgConnection) throws -> MigrationPlan {
        try checkMigration(on: connection)
        var plan = plan
        for index in plan.tables.indices {
            guard let tried = tables.first(where: { $0.clone.sourceOID == plan.tables[index].sourceOID }) else {
                continue
            }
            plan.tables[index].compat = try CompatTablePlanner(
                table: plan.tables[index], tracker: tried.tracker, greenOID: tried.clone.greenOID,
                schema: CompatView.old.schema(of: plan.name), number: index + 1
            ).shape(on: connection)
        }
        return plan
    }

    private func checkMigration(on connection: isolated PgConnection) throws {
        guard plan.strategy == .shadow else {
            throw Refused.compatView(
                plan.name, "PostgreSQL makes this change in its catalogs alone",
                "nothing is recorded of it, and nobody would take the views away",
                "leave out --compat-view, or take --strategy shadow")
        }
        let partitioned =
            plan.parents.map(\.source) + plan.tables.filter { $0.isInTree || $0.isPartitioned }.map(\.source)
        if let table = partitioned.first {
            throw Refused.compatView(
                table.description, "it is or becomes partitioned",
                "the old shape of partitioned tables is not supported", "leave out --compat-view")
        }
        let schema = CompatView.old.schema(of: plan.name)
        let isTaken: Bool = try connection.query(
            "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", [.text(schema)]
        ).single().value()
        if isTaken {
            throw Refused.compatView(
                schema, "the schema exists already",
                "the views would stand there, and what is in there may be somebody's",
                "give the migration another name (--name NAME), or drop the schema")
        }
        let tables = try connection.query(
            """
            SELECT c.oid, c.relrowsecurity, ARRAY(SELECT attname::text FROM pg_attribute
                WHERE attrelid = c.oid AND attacl IS NOT NULL AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS granted
            FROM pg_class c WHERE c.oid = ANY ($1::oid[]) ORDER BY c.oid
            """, [.array(plan.tables.map { String($0.sourceOID) })])
        for row in tables.rows {
            let oid: UInt32 = try row.get("oid")
            let name = plan.tables.first { $0.sourceOID == oid }?.source.description ?? ""
            let granted: [String] = try row.get("granted")
            if !granted.isEmpty {
                throw Refused.compatView(
                    name, "privileges are granted on some of its columns (\(granted.joined(separator: ", ")))",
                    "whoever has only these could not read a view of all columns",
                    "grant them on the whole table, or leave out --compat-view")
            }
            if try row.get("relrowsecurity", as: Bool.self), connection.serverVersion.major < 15 {
                throw Refused.compatView(
                    name, "it has row-level security, and the server is older than PostgreSQL 15",
                    "a view there reads with its owner's rights, past the policies", "leave out --compat-view")
            }
        }
    }
}

/// Of one table.
private struct CompatTablePlanner {
    let table: TablePlan
    let tracker: ChangeTracker
    let greenOID: UInt32
    let schema: String
    let number: Int

    private var live: QualifiedName { QualifiedName(schema: table.source.schema, name: table.green.name) }

    func shape(on connection: isolated PgConnection) throws -> CompatShape {
        var refusals: [Refusal] = []
        var columns: [CompatShape.Column] = []
        let types = try PlainTypes.read((tracker.original + tracker.current).map(\.typeOID), on: connection)
        for (column, inverse) in zip(tracker.original, table.inverse.columns) {
            let type = types.of(column)
            do {
                columns.append(
                    .init(name: column.name, source: try source(column, inverse, type, on: connection), type: type))
            } catch let refused as Refused {
                refusals += refused.refusals
            }
        }
        let targets = try table.mapping.columns.map { mapped in
            let facts = tracker.current.first { $0.name == mapped.green }
            let type = facts.map { types.of($0) } ?? ""
            let old = zip(tracker.original, columns).first { original, column in
                column.source == .column(mapped.green)
                    && isSame(mapped.expression, original)
            }
            if old == nil, refusals.isEmpty,
                let error = try mutability(
                    of: "CAST((\(mapped.expression)) AS \(facts?.type ?? type))", table.source,
                    alias: table.mapping.alias,
                    names: table.mapping.sourceNames, on: connection)
            {
                refusals.append(
                    refusal(
                        mapped.green,
                        "what makes \(mapped.green) of the old row depends on the session's settings or the time (PostgreSQL says: \(error.message))",
                        "the same value written by two sessions could become two",
                        "say it by a USING expression that depends on the row alone, such as AT TIME ZONE with the name of one"
                    ))
            }
            return CompatShape.Target(
                name: mapped.green, type: type, column: old?.1.name, expression: mapped.expression)
        }
        let key = table.key.compactMap { part -> CompatShape.Key? in
            guard columns.contains(where: { $0.name == part.source && $0.source == .column(part.green) }) else {
                refusals.append(
                    refusal(
                        part.source, "it is part of the key, and its values are not the same in both shapes",
                        "a row of the view could not be looked up by an index, nor found for certain",
                        "leave out --compat-view"))
                return nil
            }
            return .init(name: part.source, target: part.green)
        }
        guard refusals.isEmpty else { throw Refused(refusals) }
        return CompatShape(
            view: QualifiedName(schema: schema, name: table.source.name), live: live, number: number, columns: columns,
            targets: targets, key: key, oldAlias: table.mapping.alias, oldNames: table.mapping.sourceNames)
    }

    /// Whether the new column gets the old one's value by an assignment that changes nothing.
    private func isSame(_ expression: String, _ column: ColumnFacts) -> Bool {
        if expression == Quoting.identifier(tracker.name(of: column)) { return true }
        // A cast between integers fails or changes nothing.
        return tracker.current(for: column).map { IntegerType.areBoth(column.type, $0.type) } ?? false
    }

    private func source(
        _ column: ColumnFacts, _ inverse: InverseMapping.Column, _ type: String, on connection: isolated PgConnection
    ) throws -> CompatShape.Source {
        switch inverse.source {
        case .impossible(let why):
            throw Refused([
                refusal(
                    column.name, why, "the old shape has this column, and no value for it",
                    "--reverse '\(column.name)=EXPRESSION'")
            ])
        case .generated:
            guard let now = tracker.current(for: column), now.isGenerated, now.typeOID == column.typeOID,
                try isSameGeneration(column, now, on: connection)
            else {
                throw Refused([
                    refusal(
                        column.name, "it is generated in the old table, and not in the same way in the new one",
                        "the old shape has this column, and no value for it", "leave out --compat-view")
                ])
            }
            return .column(now.name)
        case .kept(let value):
            guard let value, try mutability(ofNew: "CAST((\(value)) AS \(column.type))", on: connection) == nil
            else { return .constant(nil) }
            return .constant(value)
        case .expression(let expression):
            if let now = tracker.current(for: column), expression == Quoting.identifier(now.name),
                Self.isShownAsItIs(column, now)
            {
                return .column(now.name)
            }
            if let error = try mutability(ofNew: "CAST((\(expression)) AS \(type))", on: connection) {
                throw Refused([
                    refusal(
                        column.name,
                        "the expression \(expression) as \(type) depends on the session's settings or the time (PostgreSQL says: \(error.message))",
                        "two sessions would see different values of the same row",
                        "--reverse '\(column.name)=EXPRESSION' with one that depends on the row alone, such as AT TIME ZONE with the name of one"
                    )
                ])
            }
            return .expression(expression)
        }
    }

    private static let texts: Set<String> = ["text", "character varying"]

    /// Where a cast would show the same and only keep PostgreSQL from its indexes, and from writing by itself.
    private static func isShownAsItIs(_ old: ColumnFacts, _ new: ColumnFacts) -> Bool {
        if old.typeOID == new.typeOID || IntegerType.areBoth(old.type, new.type) { return true }
        return [old.type, new.type].allSatisfy { type in texts.contains { type == $0 || type.hasPrefix("\($0)(") } }
    }

    private func isSameGeneration(
        _ old: ColumnFacts, _ new: ColumnFacts, on connection: isolated PgConnection
    ) throws -> Bool {
        func expression(_ oid: UInt32, _ name: String) throws -> String? {
            try connection.query(
                """
                SELECT pg_get_expr(d.adbin, d.adrelid) AS value FROM pg_attrdef d
                JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = $1 AND a.attname = $2
                """, [.int(oid), .text(name)]
            ).first?.optional("value")
        }
        return try expression(table.sourceOID, old.name) == expression(greenOID, new.name)
    }

    // MARK: What depends on the row alone

    private func mutability(ofNew expression: String, on connection: isolated PgConnection) throws -> PgError? {
        try mutability(
            of: expression, table.green, alias: table.green.name, names: tracker.current.map(\.name), on: connection)
    }

    /// PostgreSQL knows, and takes nothing else into an index. It is made on an empty table, and taken back.
    private func mutability(
        of expression: String, _ relation: QualifiedName, alias: String, names: [String],
        on connection: isolated PgConnection
    ) throws -> PgError? {
        let trial = QualifiedName(schema: schema, name: alias)
        return try connection.rejection(of: [
            "CREATE SCHEMA \(Quoting.identifier(schema))",
            """
            CREATE TABLE \(trial.sql) AS SELECT * FROM ONLY \(relation.sql) AS \(Quoting.identifier(alias)) (\(Quoting.identifiers(names)))
            WITH NO DATA
            """,
            "CREATE INDEX ON \(trial.sql) (((\(expression)) IS NULL))",
        ])
    }

    private func refusal(_ column: String, _ what: String, _ why: String, _ fix: String) -> Refusal {
        Refused.compatViewRefusal("\(table.source).\(column)", what, why, fix)
    }
}

/// Types without lengths and precisions: a cast to `varchar(5)` would shorten a value silently.
private struct PlainTypes {
    private var names: [UInt32: String] = [:]

    static func read(_ oids: [UInt32], on connection: isolated PgConnection) throws -> Self {
        let path: String = try connection.query("SELECT current_setting('search_path')").single().value()
        try connection.query("SELECT set_config('search_path', '', true)")
        let rows = try connection.query(
            "SELECT oid, format_type(oid, -1) AS name FROM pg_type WHERE oid = ANY ($1::oid[])",
            [.array(Set(oids).sorted().map { String($0) })])
        try connection.query("SELECT set_config('search_path', $1, true)", [.text(path)])
        return Self(
            names: Dictionary(
                try rows.rows.map { (try $0.get("oid"), try $0.get("name")) }, uniquingKeysWith: { $1 }))
    }

    func of(_ column: ColumnFacts) -> String { names[column.typeOID] ?? column.type }
}

extension Refused {
    static func compatView(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refused {
        Refused([compatViewRefusal(object, what, why, fix)])
    }

    fileprivate static func compatViewRefusal(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refusal
    {
        Refusal(code: "compat-view", object: object, what: what, why: why, fix: fix)
    }
}
