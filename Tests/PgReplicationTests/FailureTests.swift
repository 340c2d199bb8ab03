import PgConnection
import PgOutput
import PgReplication
import Synchronization
import TestSupport
import Testing
import ThrowawayServer

@Suite struct FailureTests {
    @Test(arguments: try await TestServers.all())
    func aTerminatedStreamContinuesFromTheConfirmedPosition(_ version: ServerBinaries) async throws {
        let fixture = try await Fixture(version, "again")
        let first = try await fixture.replicate()
        let sink = RecordingSink()
        let task = fixture.start(first, sink)
        try await fixture.connection.execute("INSERT INTO again VALUES (1)")
        try await fixture.mark("one")
        try await eventually("the first mark") { sink.marks == ["one"] && sink.messages.last?.messageType == .commit }
        guard case .commit(let commit)? = sink.messages.last else { return }
        sink.state.withLock { $0.confirmed = commit.endLSN }
        first.wake()
        try await eventually("it is confirmed") {
            try await ReplicationSlot.find(name: "again", on: fixture.connection)?.confirmedFlushLSN == commit.endLSN
        }
        try await fixture.connection.execute("INSERT INTO again VALUES (2)")
        try await fixture.mark("two")
        try await eventually("the second mark") { sink.marks == ["one", "two"] }
        // Not while it reads: the loop has to notice that the server is gone.
        sink.state.withLock { $0.wantsMore = false }
        try await fixture.connection.execute("SELECT pg_terminate_backend(\(first.backendPID))")
        let error = try #require(await pgError { try await task.value })
        #expect(StreamFailure(error) == .connectionLost, "\(error)")
        try await eventually("the slot is free") {
            try await ReplicationSlot.find(name: "again", on: fixture.connection)?.activePID == nil
        }
        let second = try await fixture.replicate()
        let again = RecordingSink()
        let secondTask = fixture.start(second, again)
        try await eventually("what was not confirmed") { again.marks == ["two"] }
        #expect(again.inserted == ["2"])
        try await fixture.end(second, secondTask)
    }

    @Test(arguments: try await TestServers.all())
    func slotsThatAreBusyOrMissing(_ version: ServerBinaries) async throws {
        let fixture = try await Fixture(version, "busy_slot")
        let first = try await fixture.replicate()
        let sink = RecordingSink()
        let task = fixture.start(first, sink)
        try await eventually("the slot is in use") {
            try await ReplicationSlot.find(name: "busy_slot", on: fixture.connection)?.activePID == first.backendPID
        }
        let second = try await fixture.replicate()
        let busy = try #require(
            await pgError {
                try await second.stream(slot: "busy_slot", publication: "busy_slot", sink: RecordingSink())
            })
        #expect(StreamFailure(busy) == .slotActive(pid: first.backendPID), "\(busy)")
        let drop = await pgError {
            try await ReplicationSlot.drop(name: "busy_slot", on: fixture.connection, limit: .milliseconds(100))
        }
        #expect(drop?.sqlState == .objectInUse)
        // Told whose it is, the drop ends the walsender.
        try await ReplicationSlot.drop(name: "busy_slot", walSender: first.backendPID, on: fixture.connection)
        let ended = try #require(await pgError { try await task.value })
        #expect(StreamFailure(ended) == .connectionLost, "\(ended)")
        #expect(try await ReplicationSlot.find(name: "busy_slot", on: fixture.connection) == nil)
        #expect(try await ReplicationSlot.drop(name: "busy_slot", on: fixture.connection) == false)
        let third = try await fixture.replicate()
        let missing = try #require(
            await pgError {
                try await third.stream(slot: "busy_slot", publication: "busy_slot", sink: RecordingSink())
            })
        #expect(StreamFailure(missing) == .slotMissing, "\(missing)")
    }

    @Test(arguments: try await TestServers.all())
    func aSlotThatLostItsLogIsInvalidated(_ version: ServerBinaries) async throws {
        let server = try await ThrowawayServer.start(
            version, settings: ["max_slot_wal_keep_size": "1MB", "max_wal_size": "32MB", "min_wal_size": "32MB"])
        let options = ConnectionOptions(conninfo: server.conninfo())
        let connection = try await PgConnection.connect(options)
        _ = try await ReplicationSlot.create(name: "lost", on: connection)
        let sound = try #require(try await ReplicationSlot.find(name: "lost", on: connection))
        #expect(!sound.isInvalid)
        #expect(try #require(sound.retainedBytes) >= 0)
        for _ in 0..<4 { try await connection.execute("SELECT pg_switch_wal(); CREATE TABLE t (); DROP TABLE t") }
        try await connection.execute("CHECKPOINT")
        let status = try #require(try await ReplicationSlot.find(name: "lost", on: connection))
        #expect(status.isInvalid)
        #expect(status.invalidationReason == "wal_removed")
        let replication = try await ReplicationConnection.connect(options)
        let error = try #require(
            await pgError { try await replication.stream(slot: "lost", publication: "p", sink: RecordingSink()) })
        #expect(StreamFailure(error) == .slotInvalidated, "\(error)")
        try await server.stop()
    }

    @Test(arguments: try await TestServers.all())
    func creationWaitsForOlderTransactionsAndCanBeCancelled(_ version: ServerBinaries) async throws {
        let writer = try await connect(version)
        try await writer.execute("CREATE TABLE older (a int); BEGIN; INSERT INTO older VALUES (1)")
        let creator = try await connect(version)
        let observer = try await connect(version)
        let task = Task { try await ReplicationSlot.create(name: "waiting", on: creator) }
        try await eventually("the creation waits for the writer") {
            try await ReplicationSlot.olderTransactions(creator: creator.backendPID, on: observer).contains {
                $0.isWaitedFor && $0.pid == writer.backendPID && $0.query?.contains("INSERT INTO older") == true
            }
        }
        task.cancel()
        let error = await pgError { _ = try await task.value }
        #expect(error?.sqlState == .queryCanceled)
        #expect(try await ReplicationSlot.find(name: "waiting", on: observer) == nil)
        try await writer.execute("ROLLBACK")
    }

    @Test(arguments: try await TestServers.all())
    func publicationsLockNeitherReadersNorWriters(_ version: ServerBinaries) async throws {
        let connection = try await connect(version)
        try await connection.execute("CREATE TABLE \"Odd \"\"name\" (\"Key \" int PRIMARY KEY, b int)")
        let table = QualifiedName(schema: "public", name: "Odd \"name")
        let locks = """
            SELECT coalesce(array_agg(DISTINCT mode), '{}') FROM pg_locks
            WHERE pid = pg_backend_pid() AND relation = '"Odd ""name"'::regclass
            """
        try await connection.execute("BEGIN")
        try await Publication.create(name: "Odd 'pub", table: table, columns: ["Key "], on: connection)
        #expect(try await connection.execute(locks).single().value() == ["ShareUpdateExclusiveLock"])
        try await connection.execute("COMMIT; BEGIN")
        try await Publication.drop(name: "Odd 'pub", on: connection)
        #expect(try await connection.execute(locks).single().value() == [String]())
        try await connection.execute("COMMIT")
        try await Publication.drop(name: "Odd 'pub", on: connection)
        let none = await pgError { try await Publication.create(name: "none", tables: [], on: connection) }
        #expect(none?.code == .unexpectedResult)
    }
}
