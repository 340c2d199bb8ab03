import ControlPlane
import LedgerWorkload
import Logging
import PgConnection
import ShadowAlter
import ThrowawayServer

/// The main job from beginning to end on a private server, with a write load that knows what must be in the table.
struct Demonstration: Sendable {
    let settings: DemoSettings
    let output: OutputArguments

    /// What is said while it runs. The report comes at the end.
    private func say(_ text: String) { Terminal.print(text) }

    func run() async throws -> DemoReport {
        say(
            """
            A demonstration of shadow-alter: a live table gets another type of key, while an application keeps writing to it.
            It has a PostgreSQL server of its own; nothing else on this machine is touched.

            """)
        let server = try await ThrowawayServer.start(settings.binaries)
        say("server     \(settings.binaries), private, in \(server.directory) (removed at the end)")
        do {
            let report = try await run(on: server)
            try await server.stop()
            return report
        } catch {
            do {
                try await server.stop(.immediate)
                say("\nThe private server is stopped, and its directory \(server.directory) is removed.")
            } catch let second {
                // The first error is the one to be thrown.
                say("\n\(second)")
            }
            throw error
        }
    }

    private func run(on server: ThrowawayServer) async throws -> DemoReport {
        let options = ConnectionOptions(conninfo: server.conninfo())
        let control = try await PgConnection.connect(options.with([:], applicationName: "demonstration"))
        try await makeTable(on: control)
        let workload = try await Workload.start(
            table: try DemoTable.workload(), options: options, settings: settings.workload, announce: { _ in })
        do {
            let report = try await run(on: server, options: options, control: control, workload: workload)
            await control.close()
            return report
        } catch {
            await workload.stop()
            await control.close()
            throw error
        }
    }

    private func makeTable(on control: PgConnection) async throws {
        let started = ContinuousClock.now
        try await control.cancellable { _ = try $0.execute(DemoTable.setup(rows: settings.rows)) }
        try await control.cancellable { _ = try $0.execute(DemoTable.settle) }
        let size: Int64 = try await control.query(
            "SELECT pg_total_relation_size($1::regclass)", [.text(DemoTable.name.sql)]
        ).single().value()
        say(
            """
            table      \(DemoTable.name), \(grouped(Int64(settings.rows))) rows, \(ByteCount(size)) with its indexes, \
            made in \(Figures.seconds((ContinuousClock.now - started) / .seconds(1)))
            """)
    }

    private func run(
        on server: ThrowawayServer, options: ConnectionOptions, control: PgConnection, workload: Workload
    ) async throws -> DemoReport {
        let keyTypeBefore = try await keyType(control)
        say(
            """
            load       \(settings.clients) clients with \(settings.rate) operations a second together: inserts, updates, \
            deletes and reads (seed \(settings.seed))

            First the load alone, for comparison: \(Int(DemoSettings.quietTime.components.seconds)) s …
            """)
        let marks = LoadMarks(workload)
        try await marks.quietTime(.before)
        let inventoryBefore = try await control.run { try DemoInventory(on: $0) }
        let dumpBefore = try await server.dump()

        say("\nshadow-alter run --table \(DemoTable.name) --alter '\(DemoTable.alter)'")
        let window = CutOverMoment()
        let (summary, elapsed) = try await marks.during {
            try await migrate(options, window: window)
        }
        let ended = MonotonicTime.now
        say(SummaryText(summary: summary, elapsed: elapsed).lines.joined(separator: "\n"))

        say("\nThe load goes on: \(Int(DemoSettings.quietTime.components.seconds)) s …")
        try await marks.quietTime(.after)
        let load = await workload.stop()
        say("Comparing every acknowledged write with the table, and every row of the table with the writes …")
        let discrepancies = try await workload.verify(on: options, canonical: .after)

        say("\nshadow-alter finalize \(summary.name)")
        try await Finalize(connections: options).run(summary.name)
        let inventory = try await settledInventory(control, since: inventoryBefore)
        return DemoReport(
            keyType: .init(before: keyTypeBefore, after: try await keyType(control)), summary: summary,
            elapsed: elapsed,
            load: load, spans: marks.spans,
            longestWait: window.began.map { .init(load.longestWait(from: $0, to: ended)) },
            discrepancies: discrepancies.map(\.description),
            leftBehind: inventory.added(since: inventoryBefore), lost: inventory.missing(since: inventoryBefore),
            definition: DumpDifference(from: dumpBefore, to: try await server.dump()).lines,
            rows: try await control.query("SELECT count(*) FROM \(DemoTable.name.sql)").single().value())
    }

    private func migrate(
        _ options: ConnectionOptions, window: CutOverMoment
    ) async throws -> (MigrationSummary, Duration) {
        let run = LiveRun(
            request: MigrationRequest(
                change: .alter(table: DemoTable.name.sql, clauses: DemoTable.alter), strategy: .shadow),
            connections: options, options: MigrationOptions(), output: output)
        let watcher = Task { await window.watch(run.status) }
        defer { watcher.cancel() }
        let started = ContinuousClock.now
        let summary = try await run.run()
        return (summary, ContinuousClock.now - started)
    }

    private func keyType(_ control: PgConnection) async throws -> String {
        try await control.query(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'id'",
            [.text(DemoTable.name.sql)]
        ).single().value()
    }

    /// Sessions that were closed a moment ago may still be on their way out; they get up to ten seconds.
    private func settledInventory(_ control: PgConnection, since before: DemoInventory) async throws -> DemoInventory {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let inventory = try await control.run { try DemoInventory(on: $0) }
            if inventory == before || ContinuousClock.now > deadline { return inventory }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
