import PgConnection

/// What happens before the first operation: the table's rows are written down and dealt out, and the hot rows inserted.
struct WorkloadOpening: Sendable {
    let table: WorkloadTable
    let settings: WorkloadSettings
    private(set) var planners: [Planner] = []
    private(set) var untouched = InitialRows()
    private(set) var hotRows: [HotRow] = []

    init(table: WorkloadTable, settings: WorkloadSettings) {
        self.table = table
        self.settings = settings
    }

    /// The partition after the clients' is that of the hot rows.
    mutating func prepare(on connection: isolated PgConnection) throws {
        var random = SplitMix64(seed: settings.seed)
        let partitions = settings.clients + 1
        func planner(_ partition: Int, _ hotKeys: [Key], _ random: SplitMix64) -> Planner {
            Planner(
                table, partition: partition, of: partitions, firstOrdinal: settings.firstOrdinal, random: random,
                weights: settings.weights, rowLimit: settings.rowsPerClient, hotKeys: hotKeys)
        }
        let host = planner(settings.clients, [], random.split())
        let keys = try hotKeys(host, on: connection)
        planners = (0..<settings.clients).map { planner($0, keys.hot, random.split()) }
        try readTable(on: connection)
        try insertHotRows(host, keys.hot, on: connection)
    }

    private func hotKeys(_ host: Planner, on connection: isolated PgConnection) throws -> (hot: [Key], rest: [Key]) {
        guard table.counter != nil, settings.hotRows > 0 else { return ([], []) }
        var host = host
        if let sql = host.statements.nextKeys(settings.hotRows) {
            host.keys.refill(try connection.execute(sql).rows.compactMap { $0.text(0).map { Key(text: $0) } })
        }
        return ((0..<settings.hotRows).map { _ in host.keys.take() }, host.keys.reserve)
    }

    private mutating func readTable(on connection: isolated PgConnection) throws {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        let count: Int = try connection.execute("SELECT count(*) FROM \(table.name.sql)").single().value()
        let stride = settings.adoptedRows == 0 ? 0 : max(1, (count + settings.adoptedRows - 1) / settings.adoptedRows)
        let scan = TableScan(reading: CanonicalReading(table: table, side: .before))
        var dealt = 0
        var untouched = InitialRows()
        var adopted: [(Key, LogicalRow)] = []
        try scan.forEachRow(scan.reading.initialRows(stride: max(1, stride)), on: connection) { row in
            let (key, digest) = try TableScan.keyAndDigest(row)
            guard stride > 0, row.text(2) == "t" else { return try untouched.append(key, digest) }
            let logical = LogicalRow(values: table.columns.indices.map { row.text($0 + 3) })
            guard logical.digest == digest else {
                throw WorkloadError(
                    "the row \(key) is read as \(LogicalRow.show(logical.values)), but its digest is another one: the "
                        + "database is not encoded in UTF-8. Nothing was started. Use a database that is.")
            }
            adopted.append((key, logical))
        }
        try connection.execute("COMMIT")
        for (key, row) in adopted {
            planners[dealt % planners.count].ledger.adopt(key, row)
            dealt += 1
        }
        self.untouched = untouched
    }

    private mutating func insertHotRows(
        _ host: Planner, _ keys: [Key], on connection: isolated PgConnection
    ) throws {
        guard !keys.isEmpty else { return }
        var host = host
        for key in keys {
            let values = host.newValues(slim: true)
            try connection.execute(host.statements.insert([(key, values)]))
            hotRows.append(HotRow(key: key, row: host.logicalRow(values)))
        }
    }
}
