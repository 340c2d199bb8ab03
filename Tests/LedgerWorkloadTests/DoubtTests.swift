import PgConnection
import Testing
import ThrowawayServer

@testable import LedgerWorkload

/// Connections that die while their COMMIT is on its way.
struct DoubtTests {
    private func start(
        _ server: ThrowawayServer, _ shop: Shop, extra: String = ""
    ) async throws -> Workload {
        try await server.psql(shop.setup(rows: 200) + extra)
        return try await Workload.start(
            table: try shop.table(), options: server.options,
            settings: WorkloadSettings(seed: try WorkloadSeed.choose(), clients: 3, rowsPerClient: 500))
    }

    private func waitFor(_ count: Int, backends condition: String, on connection: PgConnection) async throws {
        let sql = """
            SELECT count(*) FROM pg_stat_activity
            WHERE application_name = '\(Workload.applicationName)' AND \(condition)
            """
        while try await connection.execute(sql).single().value(as: Int.self) < count {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Returns when they are gone. CASE, because the planner evaluates the parts of an AND in an order of its own.
    private func killAll(_ condition: String, on connection: PgConnection) async throws {
        let killed = try await connection.execute(
            """
            SELECT pid::text FROM pg_stat_activity
            WHERE CASE WHEN application_name = '\(Workload.applicationName)' AND \(condition)
                THEN pg_terminate_backend(pid) END
            """
        ).rows.compactMap { $0.text(0) }
        guard !killed.isEmpty else { return }
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid IN (\(killed.joined(separator: ", ")))"
        while try await connection.execute(sql).single().value(as: Int.self) > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func runOn(_ workload: Workload) async throws {
        let before = workload.progress.operations
        while workload.progress.operations < before + 150 { try await Task.sleep(for: .milliseconds(10)) }
    }

    private func check(_ workload: Workload, on server: ThrowawayServer, _ shop: Shop, doubts: Int = 3) async throws
        -> [ClientLedger]
    {
        let report = await workload.stop()
        let kinds = Set(report.errors.map(\.kind))
        let allowed: Set<ApplicationError.Kind> = [
            .commitOutcomeUnknown, .connectionLost, .connectionFailed, .sql(.adminShutdown),
        ]
        #expect(kinds.isSubset(of: allowed), "\(report)")
        #expect(report.inDoubt >= doubts)
        let found = try await workload.verify(on: server.options, canonical: .before)
        #expect(found.isEmpty, "\(server), seed \(report.seed): \(found.prefix(5))")
        return await workload.ledgers()
    }

    private func isThere(_ change: RowChange, _ shop: Shop, on connection: PgConnection) async throws -> Bool {
        let sql = Statements(try shop.table()).select([change.key])
        return try await connection.execute(sql).count == 1
    }

    /// The server has committed, and waits for a standby that does not exist before it says so.
    @Test(.timeLimit(.minutes(5)))
    func committedButNotAnswered() async throws {
        for binaries in try await Servers.outermost() {
            let server = try await ThrowawayServer.start(binaries)
            let workload = try await start(server, .uuid)
            let connection = try await PgConnection.connect(server.options)
            try await runOn(workload)
            try await connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            try await connection.execute("SELECT pg_reload_conf()")
            // One may wait for a row of another's, which is not released before that one is answered.
            try await waitFor(3, backends: "(wait_event = 'SyncRep' OR wait_event_type = 'Lock')", on: connection)
            try await killAll("wait_event = 'SyncRep'", on: connection)
            try await connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            try await connection.execute("SELECT pg_reload_conf()")
            try await runOn(workload)
            let doubts = try await check(workload, on: server, .uuid, doubts: 1).flatMap(\.inDoubt)
            // Whatever was inserted is there.
            for change in doubts.flatMap(\.effect.changes) where change.after != nil {
                #expect(try await isThere(change, .uuid, on: connection))
            }
            await connection.close()
            try await server.stop()
        }
    }

    /// The server is still checking deferred constraints when the connection dies: rolled back.
    @Test(.timeLimit(.minutes(5)))
    func diedBeforeTheCommit() async throws {
        for binaries in try await Servers.outermost() {
            let server = try await ThrowawayServer.start(binaries)
            let shop = Shop.composite
            let workload = try await start(
                server, shop,
                extra: """
                    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
                        'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END';
                    CREATE CONSTRAINT TRIGGER hold AFTER INSERT OR UPDATE OR DELETE ON \(shop.name.sql)
                        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();
                    """)
            let connection = try await PgConnection.connect(server.options)
            try await runOn(workload)
            try await connection.execute("SELECT pg_advisory_lock(1)")
            try await waitFor(3, backends: "wait_event = 'advisory'", on: connection)
            try await killAll("wait_event = 'advisory'", on: connection)
            try await connection.execute("SELECT pg_advisory_unlock(1)")
            try await runOn(workload)
            let doubts = try await check(workload, on: server, shop).flatMap(\.inDoubt)
            // Nothing that was inserted is there.
            for change in doubts.flatMap(\.effect.changes) where change.before == nil && change.after != nil {
                #expect(try await !isThere(change, shop, on: connection))
            }
            await connection.close()
            try await server.stop()
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func killedAtAnyTime() async throws {
        let binaries = try #require(try await Servers.outermost().last)
        let server = try await ThrowawayServer.start(binaries)
        let workload = try await start(server, .identity)
        let connection = try await PgConnection.connect(server.options)
        // Chance decides how many commits are hit; what is checked holds for any number of them.
        for _ in 0..<300 where workload.report.inDoubt < 3 {
            try await Task.sleep(for: .milliseconds(20))
            try await killAll("state = 'active'", on: connection)
        }
        try await runOn(workload)
        _ = try await check(workload, on: server, .identity, doubts: 0)
        await connection.close()
        try await server.stop()
    }

    /// All or nothing, by the rows alone.
    @Test func aTornTransactionIsNoticed() throws {
        let (a, b, hot) = (Key(text: "a"), Key(text: "b"), Key(text: "hot"))
        func row(_ counter: Int) -> LogicalRow { LogicalRow(values: [String(counter)]) }
        let effect = TransactionEffect(
            operation: .mixed, number: 1,
            changes: [
                RowChange(key: a, before: row(1), after: row(2)), RowChange(key: b, before: nil, after: row(3)),
            ],
            increments: [0])
        var ledger = ClientLedger(hotRows: 1)
        ledger.doubt(effect)
        let book = LedgerBook(
            table: try WorkloadTable(
                QualifiedName(schema: "s", name: "t"), key: [KeyColumn("id", .text(prefix: ""))],
                columns: [PayloadColumn("n", .counter)]),
            ledgers: [ledger], untouched: InitialRows(), hotRows: [HotRow(key: hot, row: row(0))])
        func kinds(_ found: [Key: LogicalRow]) -> [Discrepancy.Kind] {
            DoubtResolution(book: book, found: found).discrepancies().map(\.kind)
        }
        #expect(kinds([a: row(2), b: row(3), hot: row(1)]) == [])
        #expect(kinds([a: row(1), hot: row(0)]) == [])
        #expect(kinds([a: row(2), hot: row(1)]).contains(.torn))
        #expect(kinds([a: row(1), b: row(3), hot: row(0)]).contains(.torn))
        #expect(kinds([b: row(3), hot: row(0)]).contains(.torn))
        // The shared counter must agree with the verdict.
        #expect(kinds([a: row(2), b: row(3), hot: row(0)]) == [.counter])
        #expect(kinds([a: row(1), hot: row(1)]) == [.counter])
    }

    /// A server that has crashed gives a sequence's number again that an insert had which was never committed.
    @Test func aNumberMayBeGivenAgainAfterACrash() throws {
        let (again, other) = (Key(text: "7"), Key(text: "8"))
        func row(_ text: String) -> LogicalRow { LogicalRow(values: [text]) }
        func insert(_ rows: [Key: LogicalRow]) -> TransactionEffect {
            TransactionEffect(
                operation: .mixed, number: 1, changes: rows.map { RowChange(key: $0, before: nil, after: $1) },
                increments: [])
        }
        var (lost, kept) = (ClientLedger(hotRows: 0), ClientLedger(hotRows: 0))
        lost.doubt(insert([again: row("lost"), other: row("lost, too")]))
        kept.acknowledge(insert([again: row("kept")]))
        func book(_ mayReuseKeys: Bool) throws -> LedgerBook {
            LedgerBook(
                table: try WorkloadTable(
                    QualifiedName(schema: "s", name: "t"), key: [KeyColumn("id", .sequence(updatable: false))],
                    columns: [PayloadColumn("t", .text(maxLength: 20))]),
                ledgers: [lost, kept], untouched: InitialRows(), hotRows: [], mayReuseKeys: mayReuseKeys)
        }
        func kinds(_ found: [Key: LogicalRow], mayReuseKeys: Bool = true) throws -> [Discrepancy.Kind] {
            DoubtResolution(book: try book(mayReuseKeys), found: found).discrepancies().map(\.kind)
        }
        #expect(try kinds([again: row("kept")]) == [])
        #expect(try kinds([again: row("kept"), other: row("lost, too")]).contains(.torn))
        #expect(try kinds([again: row("kept")], mayReuseKeys: false).contains(.torn))
        // What was acknowledged is held to it.
        guard case .row(row("kept")) = try book(true).expectation(again) else {
            Issue.record("the other client's row has to be there")
            return
        }
        guard case .inDoubt = try book(true).expectation(other) else {
            Issue.record("the transaction decides")
            return
        }
    }
}
