import PgConnection

/// How one table is shown in its other shape, or why it cannot be.
struct CompatTablePlanner {
    /// The source's name, for people.
    let table: QualifiedName
    let side: CompatSide
    let view: QualifiedName
    /// The table that the view shows, under the name that it has then.
    let live: QualifiedName
    let number: Int

    func shape(on connection: isolated PgConnection) throws -> CompatShape {
        var refusals: [Refusal] = []
        var columns: [CompatShape.Column] = []
        let types = try PlainTypes.read(
            (side.columns.map(\.facts) + side.liveColumns).map(\.typeOID), on: connection)
        for column in side.columns {
            let type = types.of(column.facts)
            do {
                columns.append(
                    .init(
                        name: column.facts.name, source: try source(column, type, on: connection), type: type,
                        isUnkept: column.isUnkept))
            } catch let refused as Refused {
                refusals += refused.refusals
            }
        }
        let targets = try side.targets.map { target in
            let same = columns.first { column in
                column.source == .column(target.facts.name) && isSame(target, column.name)
            }
            if same == nil, refusals.isEmpty, let refusal = try refusal(of: target, on: connection) {
                refusals.append(refusal)
            }
            return CompatShape.Target(
                name: target.facts.name, type: types.of(target.facts), column: same?.name,
                expression: target.expression)
        }
        for part in side.key
        where !columns.contains(where: { $0.name == part.name && $0.source == .column(part.target) }) {
            refusals.append(
                refusal(
                    part.name, "it is part of the key, and its values are not the same in both shapes",
                    "a row of the view could not be looked up by an index, nor found for certain",
                    "leave out --compat-view"))
        }
        refusals += side.obstacles.map { refusal($0.column, $0.what, $0.why, $0.fix) }
        guard refusals.isEmpty else { throw Refused(refusals) }
        return CompatShape(
            kind: side.kind, goesWithExchange: side.kind.isBeforeExchange, view: view, live: live, number: number,
            columns: columns, targets: targets, key: side.key, liveNames: side.liveColumns.map(\.name),
            liveRow: side.live.row, row: side.shape.row)
    }

    /// Whether the live table's column gets the view's value by an assignment that changes nothing.
    private func isSame(_ target: CompatSide.Target, _ name: String) -> Bool {
        guard let column = side.columns.first(where: { $0.facts.name == name }) else { return false }
        if side.shown(column.facts).map(Quoting.identifier) == target.expression { return true }
        // A cast between integers fails or changes nothing.
        return IntegerType.areBoth(column.facts.type, target.facts.type)
    }

    private func source(
        _ column: CompatSide.Column, _ type: String, on connection: isolated PgConnection
    ) throws -> CompatShape.Source {
        let (name, word) = (column.facts.name, side.kind.rawValue)
        switch column.value {
        case .impossible(let why):
            throw Refused([
                refusal(
                    name, why, "the \(word) shape has this column, and no value for it",
                    "--reverse '\(name)=EXPRESSION'")
            ])
        case .generated:
            guard let live = column.live, live.isGenerated, live.typeOID == column.facts.typeOID,
                try isSameGeneration(column.facts, live, on: connection)
            else {
                let (shape, other) = (word, side.kind.liveWord)
                throw Refused([
                    refusal(
                        name,
                        "it is generated in the \(shape) table, and not in the same way in the \(other) one",
                        "the \(shape) shape has this column, and no value for it", "leave out --compat-view")
                ])
            }
            return .column(live.name)
        case .kept(let value):
            guard let value,
                try mutability(of: "CAST((\(value)) AS \(column.facts.type))", side.live, on: connection) == nil
            else { return .constant(nil) }
            return .constant(value)
        case .expression(let expression):
            if let live = column.live, expression == side.known(live).map(Quoting.identifier),
                Self.isShownAsItIs(column.facts, live)
            {
                return .column(live.name)
            }
            if let error = try mutability(of: "CAST((\(expression)) AS \(type))", side.live, on: connection) {
                throw Refused([
                    refusal(
                        name,
                        "the expression \(expression) as \(type) depends on the session's settings or the time (PostgreSQL says: \(error.message))",
                        "two sessions would see different values of the same row",
                        side.kind == .old
                            ? "--reverse '\(name)=EXPRESSION' with one that depends on the row alone, such as AT TIME ZONE with the name of one"
                            : Self.steadyUsing)
                ])
            }
            return .expression(expression)
        }
    }

    private static let steadyUsing =
        "say it by a USING expression that depends on the row alone, such as AT TIME ZONE with the name of one"

    private func refusal(of target: CompatSide.Target, on connection: isolated PgConnection) throws -> Refusal? {
        let name = target.facts.name
        guard
            let error = try mutability(
                of: "CAST((\(target.expression)) AS \(target.facts.type))", side.shape, on: connection)
        else { return nil }
        return refusal(
            name,
            "what makes \(name) of the \(side.kind.rawValue) row depends on the session's settings or the time (PostgreSQL says: \(error.message))",
            "the same value written by two sessions could become two",
            side.kind == .old
                ? Self.steadyUsing
                : "--reverse '\(name)=EXPRESSION' with one that depends on the row alone, such as AT TIME ZONE with the name of one"
        )
    }

    private static let texts: Set<String> = ["text", "character varying"]

    /// Where a cast would show the same and only keep PostgreSQL from its indexes, and from writing by itself.
    private static func isShownAsItIs(_ one: ColumnFacts, _ other: ColumnFacts) -> Bool {
        if one.typeOID == other.typeOID || IntegerType.areBoth(one.type, other.type) { return true }
        return [one.type, other.type].allSatisfy { type in texts.contains { type == $0 || type.hasPrefix("\($0)(") } }
    }

    private func isSameGeneration(
        _ column: ColumnFacts, _ live: ColumnFacts, on connection: isolated PgConnection
    ) throws -> Bool {
        func expression(_ oid: UInt32, _ name: String) throws -> String? {
            try connection.query(
                """
                SELECT pg_get_expr(d.adbin, d.adrelid) AS value FROM pg_attrdef d
                JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = $1 AND a.attname = $2
                """, [.int(oid), .text(name)]
            ).first?.optional("value")
        }
        return try expression(side.shape.oid, column.name) == expression(side.live.oid, live.name)
    }

    /// Why the expression depends on more than the row; nil when it does not. PostgreSQL knows, and takes nothing else into an index. It is made on an
    /// empty table, and taken back.
    private func mutability(
        of expression: String, _ table: CompatSide.Table, on connection: isolated PgConnection
    ) throws -> PgError? {
        let trial = QualifiedName(schema: view.schema, name: table.row.alias)
        return try connection.rejection(of: [
            "CREATE SCHEMA \(Quoting.identifier(view.schema))",
            """
            CREATE TABLE \(trial.sql) AS SELECT * FROM ONLY \(table.relation.sql) AS \(Quoting.identifier(table.row.alias)) \
            (\(Quoting.identifiers(table.row.names))) WITH NO DATA
            """,
            "CREATE INDEX ON \(trial.sql) (((\(expression)) IS NULL))",
        ])
    }

    private func refusal(_ column: String, _ what: String, _ why: String, _ fix: String) -> Refusal {
        Refused.compatViewRefusal("\(table).\(column)", what, why, fix)
    }
}
