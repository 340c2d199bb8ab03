import PgConnection

/// What the subscribers of the user's publications have to do: one sentence or more for each publication that has one of the tables.
enum PublicationAdvice {
    static func read(
        _ plan: MigrationPlan, _ tables: [MigratedTable], on connection: isolated PgConnection
    ) throws -> [String] {
        var advice: [String] = []
        var everything: [WidePublication] = []
        for table in tables {
            let before = try ColumnFacts.read(table.sourceOID, on: connection)
            let after = try ColumnFacts.read(table.greenOID, on: connection)
            let listed = try PublicationMembership.read(table.sourceOID, on: connection)
            // The partitioned table above speaks for its partitions.
            let wide = table.isInTree ? [] : try WidePublication.read(table.sourceOID, on: connection)
            for membership in listed + wide.map(\.membership) {
                let steps = SubscriberSteps(
                    columns: table.columns, before: before, after: after, list: membership.columns,
                    withGenerated: membership.publication.withGenerated)
                advice.append("\(table.source) in the publication \(membership.publication.shown): \(steps.text)")
            }
            everything += wide.filter { $0.extent == .allTables && !everything.contains($0) }
        }
        guard plan.strategy == .shadow else { return advice }
        return advice + everything.map { whatElse(plan, $0) }
    }

    /// A publication of all tables is also of those that a migration makes for itself.
    private static func whatElse(_ plan: MigrationPlan, _ publication: WidePublication) -> String {
        let schemas = [plan.greenSchema, StateSchema.name].map { Quoting.identifier($0) }
        return
            "the publication \(publication.publication.shown) is FOR ALL TABLES: it also sends the rows of the tables in \(schemas[0]) and "
            + "\(schemas[1]), while they are written. A subscription stops with an error at the first one that it lacks, keeps WAL from being "
            + "removed here, and goes on by itself once the table is there. So at the beginning of the run make them on each subscriber, without rows: "
            + "pg_dump --schema-only -n \(schemas[0]) -n \(schemas[1]). Without REFRESH PUBLICATION meanwhile they stay empty; after "
            + "the run drop both schemas there"
    }
}

/// What becomes of a table's columns for those who subscribe to it. Pure.
struct SubscriberSteps {
    let columns: [ColumnPlan]
    let before: [ColumnFacts]
    let after: [ColumnFacts]
    /// The publication's column list; nil: all columns.
    let list: [String]?
    /// Whether generated columns are published without being listed.
    let withGenerated: Bool

    var text: String {
        let steps = leaving + renamed + retyped + new
        guard !steps.isEmpty else { return "subscribers need not do anything" }
        return "for subscribers, " + steps.joined(separator: "; ")
    }

    private func isPublished(_ column: ColumnFacts) -> Bool {
        list?.contains(column.name) ?? (withGenerated || !column.isGenerated)
    }

    /// A list goes by the columns and not by their names.
    private func isPublishedAfterwards(_ column: ColumnFacts) -> Bool {
        guard let list else { return isPublished(column) }
        return columns.contains { $0.greenName == column.name && list.contains($0.name) }
    }

    /// The published columns before, each with what becomes of it; nil when it is published no more.
    private var pairs: [(name: String, column: ColumnPlan, after: ColumnFacts?)] {
        before.filter { isPublished($0) }.compactMap { old in
            columns.first { $0.name == old.name }.map { column in
                (old.name, column, after.first { $0.name == column.greenName && isPublishedAfterwards($0) })
            }
        }
    }

    private var leaving: [String] {
        pairs.filter { $0.after == nil }.map {
            "their column \($0.name) gets no value any more from the cut-over on: it needs a default there, or must allow NULL"
        }
    }

    private var renamed: [String] {
        pairs.compactMap { name, _, after in
            guard let after, after.name != name else { return nil }
            return
                "their column \(name) must be called \(after.name) from the cut-over on: a subscription stops with an error until it is, "
                + "and goes on by itself then"
        }
    }

    private var retyped: [String] {
        pairs.compactMap { name, column, after in
            guard let after, column.hasNewType else { return nil }
            return
                "their column \(name) must take \(after.type) before the cut-over; no row is sent again for it. A subscription WITH "
                + "(binary = true) needs the very type, or binary = false until both sides have it"
        }
    }

    private var new: [String] {
        let known = Set(pairs.compactMap { $0.after?.name })
        return after.filter { isPublishedAfterwards($0) && !known.contains($0.name) }.map {
            "they need the column \($0.name) \($0.type) before the cut-over, with a value in the rows that are there: no row is sent again for it"
        }
    }
}
