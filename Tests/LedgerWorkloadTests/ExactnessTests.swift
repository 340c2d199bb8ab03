import PgConnection
import Testing
import ThrowawayServer

@testable import LedgerWorkload

struct ExactnessTests {
    @Test(.timeLimit(.minutes(5)))
    func theLedgerIsExactForEveryKindOfKey() async throws {
        for binaries in try await Servers.outermost() {
            let server = try await ThrowawayServer.start(binaries)
            for shop in Shop.allCases {
                try await server.psql(shop.setup(rows: 700))
                let workload = try await Workload.start(
                    table: try shop.table(), options: server.options,
                    settings: WorkloadSettings(
                        seed: try WorkloadSeed.choose(), clients: 3, rowsPerClient: 800, adoptedRows: 300,
                        operationsPerClient: 400))
                let report = await workload.finish()
                #expect(report.errorCount == 0, "\(binaries), \(shop): \(report)")
                #expect(report.operations == 1200)
                let found = try await workload.verify(on: server.options, canonical: .before)
                #expect(found.isEmpty, "\(binaries), \(shop), seed \(report.seed): \(found.prefix(5))")
            }
            try await server.stop()
        }
    }

    /// What a migration may do to a table, done natively in a pause: the workload goes on, its sessions and prepared
    /// statements included, and the ledger still holds.
    @Test(.timeLimit(.minutes(5)))
    func theLoadSurvivesASchemaChange() async throws {
        for binaries in try await Servers.outermost() {
            let server = try await ThrowawayServer.start(binaries)
            let shop = Shop.identity
            try await server.psql(shop.setup(rows: 300))
            var table = try shop.table()
            table = try WorkloadTable(
                table.name, key: table.key,
                columns: table.columns.filter { !$0.kind.isFrozen } + [
                    PayloadColumn(
                        "origin", .frozen(newRow: "new"),
                        canonical: CanonicalForm(before: "origin", after: "renamed::text")),
                    PayloadColumn(
                        "added", .frozen(newRow: "7"), canonical: CanonicalForm(before: "'7'", after: "added::text")),
                ])
            let workload = try await Workload.start(
                table: table, options: server.options,
                settings: WorkloadSettings(seed: try WorkloadSeed.choose(), clients: 3))
            while workload.progress.operations < 300 { try await Task.sleep(for: .milliseconds(10)) }
            await workload.pause()
            let before = workload.progress.operations
            #expect(try await workload.verify(on: server.options, canonical: .before).isEmpty)
            try await server.psql(
                """
                ALTER TABLE \(shop.name.sql) ALTER id TYPE bigint, ALTER amount TYPE numeric(14,4), ALTER note TYPE text,
                    ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC', ALTER doc TYPE json, ALTER mood TYPE text,
                    ALTER serial_no TYPE numeric, DROP unused, ADD added int DEFAULT 7;
                ALTER TABLE \(shop.name.sql) RENAME origin TO renamed;
                """)
            #expect(workload.progress.operations == before)
            await workload.resume()
            while workload.progress.operations < before + 300 { try await Task.sleep(for: .milliseconds(10)) }
            let report = await workload.stop()
            #expect(report.errorCount == 0, "\(binaries): \(report)")
            let found = try await workload.verify(on: server.options, canonical: .after)
            #expect(found.isEmpty, "\(binaries), seed \(report.seed): \(found.prefix(5))")
            try await server.stop()
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func theSameSeedLeavesTheSameRows() async throws {
        let binaries = try #require(try await Servers.outermost().last)
        let server = try await ThrowawayServer.start(binaries)
        var runs: [[[Key: LogicalRow]]] = []
        for database in ["first", "second"] {
            try await server.createDatabase(database)
            try await server.psql(Shop.text.setup(rows: 500), database: database)
            let workload = try await Workload.start(
                table: try Shop.text.table(),
                options: ConnectionOptions(conninfo: server.conninfo(database: database)),
                settings: WorkloadSettings(seed: 4711, clients: 2, adoptedRows: 200, operationsPerClient: 300))
            _ = await workload.finish()
            runs.append(await workload.ledgers().map(\.rows))
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0].allSatisfy { !$0.isEmpty })
        try await server.stop()
    }
}
