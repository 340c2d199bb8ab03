import PgConnection

/// Compares every row of the table with the ledger, and every row of the ledger with the table.
struct Verifier: Sendable {
    let book: LedgerBook
    let side: MigrationSide

    /// Of each key of the table only the digest travels; rows are fetched where there is something to say about them.
    func run(on options: ConnectionOptions) async throws -> [Discrepancy] {
        let connection = try await PgConnection.connect(options.with(CanonicalReading.settings))
        do {
            let found = try await connection.rolledBackTransaction { connection in
                try connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                return try compare(on: connection)
            }
            await connection.close()
            return found
        } catch {
            await connection.close()
            throw error
        }
    }

    /// What the scan has noticed, before the rows are fetched that show it.
    private struct Findings {
        var seen: Set<Key> = []
        var seenUntouched: [Bool]
        var changed: [Key] = []
        var unexpected: [Key] = []
        var duplicated: [Key] = []

        init(untouched: Int) {
            seenUntouched = Array(repeating: false, count: untouched)
        }
    }

    private func compare(on connection: isolated PgConnection) throws -> [Discrepancy] {
        let scan = TableScan(reading: CanonicalReading(table: book.table, side: side))
        var findings = Findings(untouched: book.untouched.count)
        try scan.forEachRow(scan.reading.allDigests, on: connection) { row in
            let (key, digest) = try TableScan.keyAndDigest(row)
            note(key, digest, in: &findings)
        }
        let special = book.hotRows.map(\.key) + book.ledgers.flatMap(\.inDoubt).flatMap(\.effect.changes).map(\.key)
        let shown = Set(findings.changed.prefix(500) + findings.unexpected.prefix(500) + special)
        let rows = try scan.rows(shown.sorted(), on: connection)
        var discrepancies = findings.changed.map { changedRow($0, rows[$0]) }
        discrepancies += findings.unexpected.map { key in
            Discrepancy(
                kind: .unexpected, key: key.description, expected: "no row", found: show(rows[key]),
                history: book.history(key))
        }
        discrepancies += findings.duplicated.map { key in
            Discrepancy(
                kind: .duplicated, key: key.description, expected: "one row", found: "more than one",
                history: book.history(key))
        }
        discrepancies += missing(findings)
        return discrepancies + DoubtResolution(book: book, found: rows).discrepancies()
    }

    private func note(_ key: Key, _ digest: MD5Digest, in findings: inout Findings) {
        switch book.expectation(key) {
        case .row(let row):
            if !findings.seen.insert(key).inserted { findings.duplicated.append(key) }
            if row.digest != digest { findings.changed.append(key) }
        case .untouched(let index):
            if findings.seenUntouched[index] { findings.duplicated.append(key) }
            findings.seenUntouched[index] = true
            if book.untouched.digest(at: index) != digest { findings.changed.append(key) }
        case .inDoubt, .hot:
            if !findings.seen.insert(key).inserted { findings.duplicated.append(key) }
        case .absent: findings.unexpected.append(key)
        }
    }

    private func missing(_ findings: Findings) -> [Discrepancy] {
        var all: [Discrepancy] = []
        for ledger in book.ledgers {
            for (key, row) in ledger.rows where !findings.seen.contains(key) {
                all.append(
                    Discrepancy(
                        kind: .missing, key: key.description, expected: show(row), found: "no row",
                        history: book.history(key)))
            }
        }
        for (index, seen) in findings.seenUntouched.enumerated() where !seen {
            all.append(
                Discrepancy(
                    kind: .missing, key: book.untouched.key(at: index).description,
                    expected: "the row as it was before the load (digest \(book.untouched.digest(at: index).hex))",
                    found: "no row", history: []))
        }
        return all.sorted { $0.key < $1.key }
    }

    private func changedRow(_ key: Key, _ found: LogicalRow?) -> Discrepancy {
        let history = book.history(key)
        guard case .row(let expected) = book.expectation(key), let found else {
            var before = "the values that it had before the load"
            if case .untouched(let index) = book.expectation(key) {
                before += " (digest \(book.untouched.digest(at: index).hex))"
            }
            return Discrepancy(
                kind: .changed, key: key.description, expected: before, found: show(found), history: history)
        }
        let columns = book.table.columns.indices.filter { expected.values[$0] != found.values[$0] }
        func differing(_ row: LogicalRow) -> String {
            columns.map { "\(book.table.columns[$0].name) = \(LogicalRow.show(row.values[$0]))" }
                .joined(separator: ", ")
        }
        return Discrepancy(
            kind: .changed, key: key.description, expected: differing(expected), found: differing(found),
            history: history)
    }

    private func show(_ row: LogicalRow?) -> String {
        row.map { LogicalRow.show($0.values) } ?? "a row (not fetched: there are too many differences)"
    }
}
