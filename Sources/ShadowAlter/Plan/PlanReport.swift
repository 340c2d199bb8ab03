import PgConnection

/// A plan for a person to read: what will happen, and what it costs. Pure.
public struct PlanReport: Sendable {
    private let plan: MigrationPlan
    private let findings: DataCheck.Findings?

    /// - Parameter findings: nil when nobody has looked at the rows.
    public init(plan: MigrationPlan, findings: DataCheck.Findings? = nil) {
        self.plan = plan
        self.findings = findings
    }

    public var text: String {
        var lines = ["Migration \(plan.name)", "", "strategy   \(plan.strategy.rawValue): \(plan.strategyReason)"]
        switch plan.strategy {
        case .native: lines += native + cutOverLocks
        case .shadow:
            lines += together + trees
            for (index, table) in plan.tables.enumerated() { lines += shadow(table, number: index + 1) }
            lines += dependants + locks + cutOverLocks
        }
        if !plan.subscribers.isEmpty {
            lines += ["", "subscribers"] + plan.subscribers.map { "  - \($0)" }
        }
        if !plan.warnings.isEmpty {
            lines += ["", "to know"] + plan.warnings.map { "  - \($0)" }
        }
        return (lines + checked).joined(separator: "\n")
    }

    /// What was found is a refusal's to say.
    private var checked: [String] {
        guard let findings else { return [] }
        let rows = findings.tables.map { table in
            "  \(table.table): \(table.rowsChecked) rows, \(table.total == 0 ? "all of them can be had in their new form" : "\(table.count) that cannot")"
        }
        let duplicates = findings.duplicates.map { found in
            "  \(found.table), unique index \(found.index): \(found.total == 0 ? "no duplicates" : "\(found.total) duplicates")"
        }
        return ["", "rows looked at"] + rows + duplicates + findings.notChecked.map { "  not looked at: \($0)" }
    }

    private var native: [String] {
        ["", "statements, in one transaction under ACCESS EXCLUSIVE, held for the moment that they take"]
            + plan.nativeStatements.map { "  \($0)" }
    }

    /// What several tables have in common; nothing where there is one.
    private var together: [String] {
        guard plan.tables.count > 1 else { return [] }
        return ["tables     \(plan.tables.count), exchanged in one transaction: \(sources)", disk]
    }

    private var disk: String {
        let bytes = plan.tables.reduce(0) { $0 + $1.tableBytes + $1.indexBytes }
        return "disk       about \(ByteCount(bytes)) more until `finalize`, and as much WAL"
    }

    private var sources: String { plan.tables.map(\.source.description).joined(separator: ", ") }

    private var trees: [String] {
        plan.roots.flatMap { root in
            [
                "",
                "partitioned table  \(root.source), with everything below it, each table as follows",
                "new tables         in the schema \(root.green.schema); they take the old ones' places",
                "old tables         in the schema \(plan.blueSchema) after the cut-over, until `finalize`",
            ]
        }
    }

    /// One of many: what there is to say of it in particular.
    private func partition(_ table: TablePlan) -> [String] {
        let rows = table.estimatedRows.map { "about \($0) rows" } ?? "an unknown number of rows"
        return [
            "",
            "partition  \(table.source), \(rows), \(ByteCount(table.tableBytes)) and \(ByteCount(table.indexBytes)) of indexes",
            "key        " + table.key.map { describe($0) }.joined(separator: ", "),
        ] + indexes(table) + wayBack(table)
    }

    /// Partitions of one table are alike, mostly.
    private func wayBack(_ table: TablePlan) -> [String] {
        let lines = WayBackReport(table: table).lines
        guard table.isInTree, let index = plan.tables.firstIndex(of: table), index > 0 else { return lines }
        let before = plan.tables[index - 1]
        return before.isInTree && WayBackReport(table: before).lines == lines ? [] : lines
    }

    private func shadow(_ table: TablePlan, number: Int) -> [String] {
        guard !table.isInTree else { return partition(table) }
        let rows = table.estimatedRows.map { "about \($0) rows" } ?? "an unknown number of rows (never analysed)"
        var lines = plan.tables.count > 1 ? ["", "— table \(number) of \(plan.tables.count) —"] : [""]
        lines += [
            "table      \(table.source), \(rows), \(ByteCount(table.tableBytes)) and \(ByteCount(table.indexBytes)) of indexes",
            "new table  \(table.green), which takes the old one's place",
            "old table  \(plan.blueSchema).\(table.source.name) after the cut-over, until `finalize`",
        ]
        lines += table.compat.flatMap { compat($0) }
        if plan.tables.count == 1 { lines.append(disk) }
        lines.append("key        " + table.key.map { describe($0) }.joined(separator: ", "))
        let columns = table.columns.compactMap { change(of: $0) }
        if !columns.isEmpty { lines.append("columns    " + columns.joined(separator: ", ")) }
        if table.publishesWholeRows {
            lines.append(
                "stream     whole rows: the replica identity, or this version of PostgreSQL, allows no list of columns")
        }
        let changed = table.mapping.columns.filter { column in
            !table.mapping.sourceNames.contains { column.green == $0 && column.expression == Quoting.identifier($0) }
        }
        if !changed.isEmpty {
            lines +=
                ["columns that are not taken over as they are"]
                + changed.map { "  \($0.green) ← \($0.expression)" }
        }
        if table.isPartitioned {
            lines += [
                "partitions of the new table; all rows are looked at before the copy, whether one takes them"
            ]
            lines += table.partitions.map { "  \($0)" }
        }
        if !table.uncompared.isEmpty {
            lines += ["columns that the verification leaves out"] + table.uncompared.map { "  \($0)" }
        }
        return lines + indexes(table) + wayBack(table)
    }

    private func compat(_ shape: CompatShape) -> [String] {
        let span =
            shape.goesWithExchange
            ? "of the old table from the beginning of `run` until the cut-over"
            : "of the new table from the cut-over until `finalize`"
        let refused = shape.unkept.map(\.name).joined(separator: ", ")
        return [
            "\(shape.kind.rawValue) shape  \(shape.view), a view \(span), written to "
                + (shape.isPlain ? "like a table" : "through triggers")
        ] + (refused.isEmpty ? [] : ["           a value of its own for \(refused) is refused until the cut-over"])
    }

    private func indexes(_ table: TablePlan) -> [String] {
        ["indexes, built after the copy, the costliest first"]
            + table.indexes.map { "  \($0.name)\($0.isKey ? ", by which rows are found" : "")" }
    }

    /// nil for a column that stays as it is.
    private func change(of column: ColumnPlan) -> String? {
        guard let name = column.greenName else { return "\(column.name) dropped" }
        let renamed = name == column.name ? "" : ", from now on \(name)"
        guard column.hasNewType, let type = column.greenType else {
            return renamed.isEmpty ? nil : "\(column.name)\(renamed)"
        }
        let types = column.type == type ? "\(type) in another collation" : "\(column.type) → \(type)"
        return "\(column.name) \(types)\(renamed)"
    }

    private func describe(_ key: KeyColumn) -> String {
        key.sourceType == key.greenType && key.source == key.green
            ? "\(key.source) \(key.sourceType)" : "\(key.source) \(key.sourceType) → \(key.green) \(key.greenType)"
    }

    private var locks: [String] {
        [
            "", "locks on \(sources), in this order",
            "  plan        ACCESS SHARE, for some milliseconds",
            "  capture     SHARE UPDATE EXCLUSIVE, for the moment of CREATE PUBLICATION; reads and writes go on",
            "  copy        ACCESS SHARE, one chunk at a time; reads and writes go on",
            "  catch-up    ACCESS SHARE, one batch at a time; reads and writes go on",
            "  verify      ACCESS SHARE, one range of pages at a time; reads and writes go on",
            "  cut-over    ACCESS EXCLUSIVE, for some milliseconds; waits for it no longer than --lock-timeout, and not at all while",
            "              somebody is in the way",
        ]
    }

    private var cutOverLocks: [String] {
        let locks = CutOverLock.all(of: plan)
        let (later, together) = (locks.filter { $0.kind == .sequence }, locks.filter { $0.kind != .sequence })
        var lines = ["", "locked together at the cut-over, \(together.count) in all, in this order"]
        lines += together.map { "  \($0.position). \($0.kind.rawValue) \($0.relation), \($0.why)" }
        if !later.isEmpty {
            lines += ["and then, by the exchange itself, \(later.count) more"]
            lines += later.map { "  \($0.position). \($0.kind.rawValue) \($0.relation), \($0.mode): \($0.why)" }
        }
        return lines
    }

    private var dependants: [String] {
        // What goes with the exchange does not move; it stands with its table.
        let staying = plan.dependants.filter { $0.kind != .view || !$0.restore.isEmpty }
        guard !staying.isEmpty else { return [] }
        let moved = staying.map { dependant in
            "  \(dependant.name)"
                + (dependant.preparation == nil ? "" : ", built anew before the cut-over: its contents are as of then")
                + (dependant.settle.isEmpty ? "" : ", and then: " + dependant.settle.joined(separator: "; "))
        }
        return ["", "moved to the new table at the cut-over"] + moved
    }
}
