import PgConnection

/// Finds out how an old table can follow the new one, while the change is planned: the green table has its new definition, the source its old one.
///
/// What is inverted by itself is what PostgreSQL would assign back, and only where the way there was nothing but an assignment, too: `price` made by
/// `USING price * 100` can be assigned to the old `price`, and would be wrong.
struct InversePlanner {
    let tried: TriedTable
    /// The way there.
    let key: [KeyColumn]
    /// The green table's, before anything is taken from it.
    let indexes: [IndexFacts]
    /// What `--reverse` says, by the old column's name.
    let reverse: [String: String]

    private var tracker: ChangeTracker { tried.tracker }
    private var source: QualifiedName { tried.clone.source }
    private var green: QualifiedName { tried.clone.green }

    /// Over the new table's row.
    private var newRow: ExpressionProbe {
        ExpressionProbe(
            table: green, alias: green.name, names: tracker.current.map(\.name), schema: green.schema)
    }

    /// Over the old table's row, under the names that the change's expressions know.
    private var oldRow: ExpressionProbe {
        ExpressionProbe(
            table: source, alias: source.name, names: tracker.original.map { tracker.name(of: $0) },
            schema: green.schema)
    }

    func inverse(isPartitioned: Bool, on connection: isolated PgConnection) throws -> InverseMapping {
        try ReverseCheck(source: source, columns: tracker.original, reverse: reverse).run()
        var inverse = InverseMapping(columns: [], sourceNames: tracker.current.map(\.name))
        var used: Set<String> = []
        let defaults =
            tracker.original.contains { tracker.current(for: $0) == nil }
            ? try ColumnDefault.read(tried.clone.sourceOID, on: connection) : [:]
        for column in tracker.original {
            let value: InverseMapping.Source
            if let expression = reverse[column.name] {
                used.formUnion(try checked(expression, for: column, on: connection).columns)
                value = .expression("(\(expression))")
            } else {
                value = try self.value(of: column, default: defaults[column.name], on: connection)
            }
            inverse.columns.append(.init(name: column.name, type: column.type, source: value))
            inverse.notes += note(on: column, value).map { [$0] } ?? []
            if case .impossible(let why) = value { inverse.obstacles.append("column \(column.name): \(why)") }
            inverse.uncompared += uncompared(column, value).map { [.init(name: column.name, reason: $0)] } ?? []
        }
        inverse.lost = tracker.added.filter { !$0.isGenerated && !used.contains($0.name) }.map(\.name)
        if isPartitioned {
            inverse.obstacles.append("the new table is partitioned and the old one is not")
        }
        try addKey(to: &inverse, on: connection)
        return inverse
    }

    // MARK: Columns

    /// A column of which `--reverse` says nothing.
    private func value(
        of column: ColumnFacts, default: String?, on connection: isolated PgConnection
    ) throws -> InverseMapping.Source {
        if column.isGenerated { return .generated }
        guard let now = tracker.current(for: column) else { return .kept(default: `default`) }
        let way = "--reverse '\(column.name)=EXPRESSION' would tell"
        guard !now.isGenerated else {
            return .impossible(why: "\(now.name) is generated in the new table, from other columns; \(way)")
        }
        if let using = tracker.usings[column.number],
            try !oldRow.isBareCast(using, of: tracker.name(of: column), on: connection)
        {
            return .impossible(why: "the USING expression of \(now.name) is more than a cast of the column; \(way)")
        }
        let expression = Quoting.identifier(now.name)
        if !now.hasSameType(as: column), let error = try rejection(of: expression, for: column, on: connection) {
            return .impossible(why: "PostgreSQL says: \(error.message); \(way)")
        }
        return .expression(expression)
    }

    /// Whether values can be assigned to the old column, without executing anything. The condition allows what stands in an expression over one
    /// row, and neither aggregates nor functions that return several rows.
    private func rejection(
        of expression: String, for column: ColumnFacts, on connection: isolated PgConnection
    ) throws -> PgError? {
        let old = QualifiedName(schema: green.schema, name: "shadow_alter_old")
        return try connection.rejection(of: [
            "CREATE TABLE \(old.sql) (LIKE \(source.sql))",
            """
            EXPLAIN INSERT INTO \(old.sql) (\(Quoting.identifier(column.name)))
            SELECT \(expression) FROM \(newRow.row) WHERE (\(expression)) IS NULL
            """,
        ])
    }

    private func checked(
        _ expression: String, for column: ColumnFacts, on connection: isolated PgConnection
    ) throws -> ExpressionProbe.Facts {
        if let error = try rejection(of: "(\(expression))", for: column, on: connection) {
            throw Refused.reverse(
                "\(source).\(column.name)", "the expression \(expression) cannot be the old column's value",
                "PostgreSQL says: \(error.message)\(error.hint.map { " (\($0))" } ?? "")",
                "give an expression over the new table's columns that can be assigned to \(column.type)")
        }
        let facts = try newRow.facts("CAST((\(expression)) AS \(column.type))", on: connection)
        guard !facts.isVolatile else {
            throw Refused.reverse(
                "\(source).\(column.name)", "the expression \(expression) calls a volatile function",
                "the same row would get another value each time that it is brought back",
                "use an expression that depends on the row alone")
        }
        return facts
    }

    /// What a row may have that the old column does not take.
    private func note(on column: ColumnFacts, _ value: InverseMapping.Source) -> String? {
        switch value {
        case .kept where column.isIdentity: "\(column.name) is an identity: a new row gets its next number"
        case .kept where column.isNotNull && !column.hasDefault:
            "\(column.name) is NOT NULL and has no default: a row that is inserted after the cut-over cannot go back, unless "
                + "--reverse '\(column.name)=EXPRESSION' tells its value"
        case .expression:
            tracker.current(for: column).flatMap { now in
                guard column.isNotNull, !now.isNotNull, reverse[column.name] == nil else { return nil }
                return "\(column.name) is NOT NULL in the old table: a row with a NULL in \(now.name) cannot go back"
            }
        default: nil
        }
    }

    /// Why equal rows may differ in the column: one that nobody has written to since the copy is as it always was.
    private func uncompared(_ column: ColumnFacts, _ value: InverseMapping.Source) -> String? {
        switch value {
        case .generated: return "generated: PostgreSQL computes it from the others"
        case .kept: return "it keeps what it has"
        case .expression:
            let isFaithful =
                reverse[column.name] == nil && tracker.usings[column.number] == nil
                && tracker.current(for: column).map { column.isKept(by: $0) } ?? false
            return isFaithful ? nil : "rows that nobody has changed keep the form that they had before"
        case .impossible: return nil
        }
    }

    // MARK: The key

    private func addKey(to inverse: inout InverseMapping, on connection: isolated PgConnection) throws {
        let names = Set(key.map(\.green))
        let finder = KeyFinder(
            source: green, sourceOID: tried.clone.greenOID,
            tracker: ChangeTracker(original: tracker.current))
        let told: (columns: [String], isFull: Bool)
        do {
            told = try finder.sourceKey(indexes, on: connection)
        } catch let refused as Refused {
            let why = refused.refusals.first?.what ?? "it has no usable key"
            inverse.obstacles.append("the change stream cannot tell which rows of the new table change: \(why)")
            return
        }
        inverse.publishesWholeRows = told.isFull || connection.serverVersion.major < 15
        guard told.isFull || Set(told.columns) == names else {
            inverse.obstacles.append(
                "the change stream tells of the new table's key (\(told.columns.joined(separator: ", "))), and the old rows are found by "
                    + "(\(key.map(\.green).joined(separator: ", ")))")
            return
        }
        var expressions: [(forward: KeyColumn, column: ColumnFacts, expression: String)] = []
        for part in key {
            guard let column = tracker.original.first(where: { $0.name == part.source }),
                case .expression(let expression)? = inverse.columns.first(where: { $0.name == part.source })?.source
            else { return }
            if reverse[part.source] != nil {
                let facts = try newRow.facts("CAST(\(expression) AS \(column.type))", on: connection)
                if let foreign = facts.columns.first(where: { !names.contains($0) }) {
                    inverse.obstacles.append(
                        "key column \(part.source) is computed from \(foreign), which is no part of the new table's key: the old row of one "
                            + "that is deleted could not be found")
                    return
                }
            }
            expressions.append((part, column, expression))
        }
        inverse.key = InverseKey(parts: expressions, alias: source.name).columns
    }
}

extension Refused {
    /// A refusal of something that `--reverse` says.
    static func reverse(_ object: String, _ what: String, _ why: String, _ fix: String) -> Refused {
        Refused([Refusal(code: "reverse", object: object, what: what, why: why, fix: fix)])
    }
}

/// What can be told of `--reverse` without asking PostgreSQL. Pure.
struct ReverseCheck {
    let source: QualifiedName
    let columns: [ColumnFacts]
    let reverse: [String: String]

    func run() throws {
        for name in reverse.keys.sorted() {
            guard let column = columns.first(where: { $0.name == name }) else {
                throw Refused.reverse(
                    "\(source).\(name)", "the old table has no such column",
                    "--reverse gives a value to a column of the table as it is before the change",
                    "name one of \(columns.map(\.name).joined(separator: ", "))")
            }
            guard !column.isGenerated else {
                throw Refused.reverse(
                    "\(source).\(name)", "the old column is generated", "PostgreSQL computes it from the others",
                    "leave it out")
            }
        }
    }
}

extension ColumnFacts {
    private static let texts: Set<UInt32> = [25, 1043]

    /// Whether what an assignment has put into the new column comes back from there as the same value, whatever it is.
    fileprivate func isKept(by new: ColumnFacts) -> Bool {
        guard collationOID == new.collationOID else { return false }
        if hasSameType(as: new) { return true }
        if let old = IntegerType(rawValue: type), let new = IntegerType(rawValue: new.type) { return old < new }
        return Self.texts.contains(typeOID) && Self.texts.contains(new.typeOID) && new.typeModifier < 0
    }
}
