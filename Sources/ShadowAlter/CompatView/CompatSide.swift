import PgConnection

/// A shape of a table as its planner looks at it, and the ways from the live table's rows to it and back. Old and new shape are alike here, with the
/// mapping and its inverse in each other's places.
struct CompatSide {
    /// A table of some shape, and how expressions know it.
    struct Table {
        let relation: QualifiedName
        let oid: UInt32
        let row: CompatShape.Row
    }

    struct Column {
        let facts: ColumnFacts
        /// Its value, over the live table's row.
        let value: InverseMapping.Source
        /// What it is in the live table; nil where that has no such column.
        let live: ColumnFacts?
        /// What is written to it would be lost.
        let isUnkept: Bool
    }

    struct Target {
        let facts: ColumnFacts
        /// Over the shape's row.
        let expression: String
    }

    let kind: CompatView
    let columns: [Column]
    let liveColumns: [ColumnFacts]
    let targets: [Target]
    let key: [CompatShape.Key]
    /// That with the shape; both are read for the types of their columns alone.
    let shape: Table
    let live: Table
    /// Columns of the live table that nothing would be written to, although something has to.
    let obstacles: [Obstacle]

    struct Obstacle {
        let column: String
        let what: String
        let why: String
        let fix: String
    }

    /// The live table's column under the name that expressions know it by.
    func known(_ column: ColumnFacts) -> String? {
        zip(liveColumns, live.row.names).first { $0.0.number == column.number }?.1
    }

    /// The shape's, likewise.
    func shown(_ column: ColumnFacts) -> String? {
        zip(columns, shape.row.names).first { $0.0.facts.number == column.number }?.1
    }

    /// The old table's rows are made of the new one's.
    static func old(_ plan: TablePlan, _ tried: TriedTable) -> Self {
        let tracker = tried.tracker
        return Self(
            kind: .old,
            columns: zip(tracker.original, plan.inverse.columns).map { column, inverse in
                Column(facts: column, value: inverse.source, live: tracker.current(for: column), isUnkept: false)
            },
            liveColumns: tracker.current,
            targets: plan.mapping.columns.compactMap { mapped in
                tracker.current.first { $0.name == mapped.green }.map {
                    Target(facts: $0, expression: mapped.expression)
                }
            },
            key: plan.key.map { .init(name: $0.source, target: $0.green) }, shape: oldTable(plan),
            live: newTable(plan, tried), obstacles: [])
    }

    /// The new table's rows are made of the old one's.
    static func new(_ plan: TablePlan, _ tried: TriedTable, on connection: isolated PgConnection) throws -> Self {
        let tracker = tried.tracker
        let defaults = try ColumnDefault.read(tried.clone.greenOID, on: connection)
        let values = Dictionary(
            plan.mapping.columns.map { ($0.green, $0.expression) }, uniquingKeysWith: { first, _ in first })
        let (old, new) = (oldTable(plan), newTable(plan, tried))
        let probe = ExpressionProbe(
            table: old.relation, alias: old.row.alias, names: old.row.names, schema: new.relation.schema)
        let columns = try tracker.current.map { column in
            let before = tracker.original.first { $0.number == column.number }
            let value: InverseMapping.Source
            if column.isGenerated {
                value = .generated
            } else if let before, let expression = values[column.name] {
                let known = tracker.name(of: before)
                // As the inverse mapping sees it: the assignment casts by itself.
                let isCast = try tracker.usings[before.number].map {
                    try probe.isBareCast($0, of: known, on: connection)
                }
                value = .expression(isCast == true ? Quoting.identifier(known) : expression)
            } else {
                value = .kept(default: defaults[column.name])
            }
            return Column(
                facts: column, value: value, live: before, isUnkept: plan.inverse.lost.contains(column.name))
        }
        let inverse = zip(tracker.original, plan.inverse.columns)
        return Self(
            kind: .new, columns: columns, liveColumns: tracker.original,
            targets: inverse.compactMap { column, inverse in
                guard case .expression(let expression) = inverse.source else { return nil }
                return Target(facts: column, expression: expression)
            },
            key: plan.key.map { .init(name: $0.green, target: $0.source) }, shape: new, live: old,
            obstacles: inverse.compactMap { obstacle($0, $1.source) })
    }

    private static func obstacle(_ column: ColumnFacts, _ inverse: InverseMapping.Source) -> Obstacle? {
        let name = column.name
        switch inverse {
        case .impossible(let why):
            return Obstacle(
                column: name, what: why,
                why: "what is written through the new shape could not be put into the old table",
                fix: "--reverse '\(name)=EXPRESSION'")
        case .kept(default: nil) where column.isNotNull && !column.isIdentity:
            return Obstacle(
                column: name, what: "it is NOT NULL without a default, and the change drops it",
                why: "no row could be inserted through the new shape before the cut-over",
                fix: "--reverse '\(name)=EXPRESSION', or give the column a default")
        default: return nil
        }
    }

    private static func oldTable(_ plan: TablePlan) -> Table {
        Table(
            relation: plan.source, oid: plan.sourceOID,
            row: .init(alias: plan.mapping.alias, names: plan.mapping.sourceNames))
    }

    private static func newTable(_ plan: TablePlan, _ tried: TriedTable) -> Table {
        Table(
            relation: plan.green, oid: tried.clone.greenOID,
            row: .init(alias: plan.green.name, names: tried.tracker.current.map(\.name)))
    }
}

extension CompatView {
    /// Of the table that the view shows, while it is there.
    var liveWord: String { self == .old ? "new" : "old" }
}
