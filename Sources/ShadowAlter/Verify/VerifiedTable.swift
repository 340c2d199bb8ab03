import PgConnection

/// A table as the verification knows it: which columns are compared, and how rows are found.
struct VerifiedTable: Sendable {
    let record: TableRecord
    let sql: VerifySQL
    let extent: TableExtent
    /// Where the shadow's rows are: its own file, or its partitions'.
    let files: [QualifiedName]

    /// - Parameter parks: on a way back.
    static func read(_ record: TableRecord, parks: Bool = false, on connection: isolated PgConnection) throws -> Self {
        let plan = record.plan
        let green = try ColumnFacts.read(record.greenOID, on: connection)
        let source = try ColumnFacts.read(plan.sourceOID, on: connection)
        let defaults = try connection.readingDefinitions { try ColumnDefault.read(record.greenOID, on: $0) }
        let leftOut = Set(plan.uncompared.map(\.name))
        let columns = green.filter { !$0.isGenerated && !leftOut.contains($0.name) }.map { column in
            let mapped = plan.mapping.columns.first { $0.green == column.name }?.expression
            return VerifySQL.Column(
                name: column.name, type: column.type, expression: mapped ?? defaults[column.name] ?? "NULL")
        }
        let isDirect = plan.key.allSatisfy { key in
            guard key.expression == Quoting.identifier(key.mapped),
                let old = source.first(where: { $0.name == key.source }),
                let new = green.first(where: { $0.name == key.green })
            else { return false }
            return old.canBeLookedUp(by: new)
        }
        let files =
            plan.isPartitioned
            ? try PartitionTree.read(record.greenOID, on: connection).leaves.filter { $0.kind == "r" }.map(\.name)
            : [plan.green]
        return try Self(
            record: record,
            sql: VerifySQL(
                refresh: RefreshSQL(record), suspects: record.suspects, columns: columns,
                lookup: isDirect ? .direct : .computed, tableID: record.id, parked: parks ? record.parked : nil),
            extent: TableExtent.read(plan.sourceOID, on: connection), files: files)
    }

    /// What there is to be swept, with the files as they are now.
    ///
    /// Rows that come later than this are dirty in the stream, so that the files' ends may move on. A new file of the shadow, after a truncation,
    /// has only such rows.
    func sweeps(at index: Int, on connection: isolated PgConnection) throws -> [VerifyAgenda.Sweep] {
        let source = try sourceSweeps(at: index, on: connection)
        guard sql.lookup == .direct else {
            return source + [.init(table: index, side: .wholeGreen, filenode: nil, pages: 1)]
        }
        guard record.plan.isPartitioned else { return source }
        return try source + files.map { try greenSweep($0, at: index, on: connection) }
    }

    /// The numbers of the files in which the table and its shadow are; nil for one that is not there.
    ///
    /// As long as they stay, a row that is not where it was has been written since, and is in the stream.
    func filenodes(on connection: isolated PgConnection) throws -> [UInt32?] {
        try connection.query(
            """
            SELECT pg_relation_filenode($1::oid) AS filenode
            UNION ALL SELECT * FROM (
                SELECT pg_relation_filenode(to_regclass(name)) FROM unnest($2::text[]) WITH ORDINALITY AS file (name, place) ORDER BY place) AS shadow
            """, [.int(record.plan.sourceOID), .array(files.map(\.sql))]
        ).rows.map { try $0.optional("filenode") }
    }

    private func sourceSweeps(at index: Int, on connection: isolated PgConnection) throws -> [VerifyAgenda.Sweep] {
        let row = try connection.query(
            """
            SELECT pg_relation_filenode($1::oid) AS filenode, pg_relation_size($1::oid) / current_setting('block_size')::int AS pages
            """, [.int(record.plan.sourceOID)]
        ).single()
        var source = VerifyAgenda.Sweep(
            table: index, side: .source, filenode: try row.optional("filenode"),
            pages: try row.optional("pages") ?? 0)
        guard !record.plan.isPartitioned else { return [source] }
        let green = try greenSweep(record.plan.green, at: index, on: connection)
        let isDirect = sql.lookup == .direct
        guard try source.pages > 0 && (!isDirect || canBeJoined(on: connection)) else {
            return isDirect ? [source, green] : [source]
        }
        // Each statement reads as many pages as a disk gives in a moment, so that none of the snapshots is long.
        let points = try Self.probes(pages: source.pages).flatMap { places in
            try connection.query(sql.locate, [.array(places)]).rows.map {
                PageMap.Point(source: try $0.get("source"), green: try $0.get("green"))
            }
        }
        source.side = .pair(
            record.plan.green, PageMap(pages: source.pages, greenPages: green.pages, points: points))
        return [source]
    }

    /// PostgreSQL joins nothing fully by an `=` that is declared neither HASHES nor MERGES, as that of a type of somebody's own may be.
    private func canBeJoined(on connection: isolated PgConnection) throws -> Bool {
        do {
            try connection.execute("EXPLAIN \(sql.compare(pages: 0..<1, with: (record.plan.green, 0..<1), limit: 1))")
            return true
        } catch let error as PgError where error.sqlState?.classCode == "0A" {
            return false
        }
    }

    private func greenSweep(
        _ file: QualifiedName, at index: Int, on connection: isolated PgConnection
    ) throws -> VerifyAgenda.Sweep {
        .init(table: index, side: .green(file), filenode: nil, pages: try connection.pages(of: file))
    }

    /// The first places of some pages, evenly spread, for one statement each: enough to follow the file, few enough to be looked up soon.
    private static func probes(pages: Int64) -> some Sequence<[String]> {
        let step = Int(PageMap.spacing(pages: pages))
        let together = 64 * step
        return stride(from: step, to: Int(pages), by: together).lazy.map { first in
            stride(from: first, to: min(Int(pages), first + together), by: step).flatMap { page in
                (1...3).map { "(\(page),\($0))" }
            }
        }
    }
}

extension ColumnFacts {
    private static let integers: Set<UInt32> = [20, 21, 23]
    private static let texts: Set<UInt32> = [25, 1043]

    /// Whether the values of a column into which this one's were put, without any USING, are equal to them, and can be compared with them by this
    /// one's index.
    fileprivate func canBeLookedUp(by green: ColumnFacts) -> Bool {
        guard collationOID == green.collationOID else { return false }
        if typeOID == green.typeOID && typeModifier == green.typeModifier { return true }
        if Self.integers.contains(typeOID) && Self.integers.contains(green.typeOID) { return true }
        // One with a length may have lost blanks at its end.
        return Self.texts.contains(typeOID) && Self.texts.contains(green.typeOID) && green.typeModifier < 0
    }
}
