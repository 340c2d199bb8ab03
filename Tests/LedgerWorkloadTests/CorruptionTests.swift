import PgConnection
import Testing
import ThrowawayServer

@testable import LedgerWorkload

/// The oracle must see every single difference, and nothing else.
struct CorruptionTests {
    private static func literal(_ key: Key) -> String { Statements.literal(key.text) }

    /// One change that nobody acknowledged, undone after the check.
    private struct Damage {
        let name: String
        let sql: String
        let kind: Discrepancy.Kind
        let key: String
    }

    private func damages(_ workload: Workload, _ connection: PgConnection) async throws -> [Damage] {
        let table = workload.table.name.sql
        let ledgers = await workload.ledgers()
        func owned(_ condition: (Key, LogicalRow) -> Bool) throws -> Key {
            try #require(ledgers.flatMap { $0.rows }.filter { condition($0.key, $0.value) }.map(\.key).min())
        }
        func position(_ column: String) throws -> Int {
            try #require(workload.table.columns.firstIndex { $0.name == column })
        }
        let (note, blob) = (try position("note"), try position("blob"))
        let noted = try owned { $1.values[note]?.isEmpty == false }
        let large = try owned { $1.values[blob] != nil }
        let null = try owned { $1.values[note] == nil }
        let deleted = try #require(
            ledgers.compactMap { ledger in
                var random = SplitMix64(seed: 5)
                return ledger.deleted.draw(&random)
            }.first)
        let touched = Set(ledgers.flatMap { $0.rows.keys })
        let initial = try await connection.execute("SELECT id FROM \(table) WHERE origin = 'old' AND blob IS NOT NULL")
            .rows.compactMap { $0.text(0).map { Key(text: $0) } }
        let watched = try #require(initial.first { !touched.contains($0) })
        let hot = try #require(workload.hotRows.first?.key)
        func damage(_ name: String, _ key: Key, _ kind: Discrepancy.Kind, _ sql: String) -> Damage {
            Damage(
                name: name,
                sql: sql.split(separator: "@", omittingEmptySubsequences: false).joined(separator: Self.literal(key)),
                kind: kind, key: key.description)
        }
        return [
            damage("row deleted", noted, .missing, "DELETE FROM \(table) WHERE id = @"),
            damage("value changed", noted, .changed, "UPDATE \(table) SET note = left(note, -1) || '#' WHERE id = @"),
            damage("NULL is not empty", null, .changed, "UPDATE \(table) SET note = '' WHERE id = @"),
            damage("space added", noted, .changed, "UPDATE \(table) SET code = coalesce(code, '') || ' ' WHERE id = @"),
            damage("value not written by the load", noted, .changed, "UPDATE \(table) SET origin = 'x' WHERE id = @"),
            damage("TOAST value truncated", large, .changed, "UPDATE \(table) SET blob = left(blob, -1) WHERE id = @"),
            damage(
                "one byte of a TOAST value", large, .changed,
                "UPDATE \(table) SET blob = left(blob, 2000) || '#' || substr(blob, 2002) WHERE id = @"),
            damage(
                "row resurrected", deleted, .unexpected, "INSERT INTO \(table) (id, \"Odd \"\" Name\") VALUES (@, '')"),
            damage(
                "extra row", Key(text: "nobody's"), .unexpected,
                "INSERT INTO \(table) (id, \"Odd \"\" Name\") VALUES (@, '')"),
            damage("counter one too many", hot, .counter, "UPDATE \(table) SET hits = hits + 1 WHERE id = @"),
            damage("counter one too few", hot, .counter, "UPDATE \(table) SET hits = hits - 1 WHERE id = @"),
            damage("shared row changed", hot, .changed, "UPDATE \(table) SET note = 'a', doc = '{}' WHERE id = @"),
            damage("shared row deleted", hot, .missing, "DELETE FROM \(table) WHERE id = @"),
            damage("watched row deleted", watched, .missing, "DELETE FROM \(table) WHERE id = @"),
            damage("watched row changed", watched, .changed, "UPDATE \(table) SET amount = amount + 1 WHERE id = @"),
            damage(
                "watched TOAST value truncated", watched, .changed,
                "UPDATE \(table) SET blob = left(blob, -1) WHERE id = @"),
            damage(
                "watched row doubled", watched, .duplicated,
                "INSERT INTO \(table) SELECT * FROM \(table) WHERE id = @"),
            damage("own row doubled", noted, .duplicated, "INSERT INTO \(table) SELECT * FROM \(table) WHERE id = @"),
        ]
    }

    @Test(.timeLimit(.minutes(5)))
    func everyCorruptionIsFound() async throws {
        for binaries in try await Servers.outermost() {
            let server = try await ThrowawayServer.start(binaries)
            try await server.psql(Shop.text.setup(rows: 900))
            let workload = try await Workload.start(
                table: try Shop.text.table(), options: server.options,
                settings: WorkloadSettings(
                    seed: try WorkloadSeed.choose(), clients: 2, adoptedRows: 100, operationsPerClient: 300))
            let report = await workload.finish()
            #expect(report.errorCount == 0, "\(report)")
            // Without constraints a key can be there twice. Only after the load, which needs them.
            try await server.psql(
                """
                ALTER TABLE \(Shop.text.name.sql) DROP CONSTRAINT "Shop of text_pkey",
                    DROP CONSTRAINT "Shop of text_code_key", DROP CONSTRAINT "Shop of text_serial_no_key"
                """)
            #expect(try await workload.verify(on: server.options, canonical: .before).isEmpty)
            let connection = try await PgConnection.connect(server.options)
            for damage in try await damages(workload, connection) {
                try await connection.execute("CREATE TABLE intact AS TABLE \(Shop.text.name.sql)")
                let changed = try await connection.execute(damage.sql).affectedRows
                #expect(changed == 1, "\(damage.name)")
                let found = try await workload.verify(on: server.options, canonical: .before)
                #expect(found.map(\.kind) == [damage.kind], "\(binaries), \(damage.name): \(found)")
                #expect(found.map(\.key) == [damage.key], "\(binaries), \(damage.name): \(found)")
                try await connection.execute(
                    "TRUNCATE \(Shop.text.name.sql); INSERT INTO \(Shop.text.name.sql) TABLE intact; DROP TABLE intact")
            }
            #expect(try await workload.verify(on: server.options, canonical: .before).isEmpty)
            await connection.close()
            try await server.stop()
        }
    }

    /// A read of a client is a check as well: the application itself would notice.
    @Test(.timeLimit(.minutes(5)))
    func clientsNoticeWhatIsNotAsTheyLeftIt() async throws {
        let binaries = try #require(try await Servers.outermost().first)
        let server = try await ThrowawayServer.start(binaries)
        try await server.psql(Shop.integer.setup(rows: 50))
        let workload = try await Workload.start(
            table: try Shop.integer.table(), options: server.options,
            settings: WorkloadSettings(
                seed: try WorkloadSeed.choose(), clients: 1,
                weights: OperationWeights([.insertOne: 1, .read: 5, .preparedRead: 5, .update: 1])))
        while workload.progress.operations < 50 { try await Task.sleep(for: .milliseconds(10)) }
        await workload.pause()
        #expect(workload.progress.errors == 0)
        try await server.psql("UPDATE \(Shop.integer.name.sql) SET amount = coalesce(amount, 0) + 1")
        await workload.resume()
        while workload.progress.errors == 0 { try await Task.sleep(for: .milliseconds(10)) }
        let report = await workload.stop()
        #expect(report.errors.first?.kind == .wrongAnswer)
        try await server.stop()
    }
}
