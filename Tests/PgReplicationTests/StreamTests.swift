import PgConnection
import PgOutput
import PgReplication
import Synchronization
import TestSupport
import Testing
import ThrowawayServer

@Suite struct StreamTests {
    @Test(arguments: try await TestServers.all())
    func changesAndMarksComeInOrder(_ version: ServerBinaries) async throws {
        let fixture = try await Fixture(version, "in_order")
        let replication = try await fixture.replicate()
        #expect(try await replication.identifySystem().database == "postgres")
        let sink = RecordingSink()
        let task = fixture.start(replication, sink)
        try await fixture.connection.execute("INSERT INTO in_order VALUES (1, 'a')")
        try await fixture.connection.execute("UPDATE in_order SET id = 2")
        try await fixture.connection.execute("DELETE FROM in_order")
        try await fixture.connection.execute("TRUNCATE in_order")
        try await fixture.mark("end")
        try await eventually("the mark arrives") { sink.marks == ["end"] }
        let changes: [MessageType] = [.insert, .update, .delete, .truncate]
        let kinds = sink.messages.compactMap { message in
            if case .message(let mark) = message { return mark.prefix == "in_order" ? MessageType.message : nil }
            return changes.contains(message.messageType) ? message.messageType : nil
        }
        #expect(kinds == changes + [.message])
        guard case .update(let update)? = sink.messages.first(where: { $0.messageType == .update }) else {
            Issue.record("no update")
            return
        }
        #expect(update.old?.tuple[0].string == "1")
        #expect(update.new[0].string == "2")
        try await fixture.end(replication, task)
        // The connection is in order after an orderly stop.
        #expect(try await replication.identifySystem().timeline == 1)
    }

    @Test(arguments: try await TestServers.all())
    func theSlotAdvancesThoughTheTableIsIdle(_ version: ServerBinaries) async throws {
        let fixture = try await Fixture(version, "idle")
        let replication = try await fixture.replicate()
        let sink = RecordingSink(confirmsAtOnce: true)
        let task = fixture.start(replication, sink)
        try await fixture.connection.execute(
            "CREATE TABLE busy (a int); INSERT INTO busy SELECT generate_series(1, 1000)")
        let goal = try #require(
            LSN(try await fixture.connection.execute("SELECT pg_current_wal_lsn()").single().value()))
        try await eventually("the slot passes the other table's log") {
            let status = try await ReplicationSlot.find(name: "idle", on: fixture.connection)
            return status?.confirmedFlushLSN ?? .invalid >= goal
        }
        #expect(sink.inserted.isEmpty)
        try await fixture.end(replication, task)
    }

    /// Four times the server's patience without reading anything: only our status updates keep the connection.
    @Test(arguments: try await TestServers.all())
    func backPressureOutlivesWalSenderTimeout(_ version: ServerBinaries) async throws {
        let fixture = try await Fixture(version, "pressure")
        let replication = try await fixture.replicate(settings: ["wal_sender_timeout": "1s"])
        let sink = RecordingSink()
        sink.state.withLock { $0.wantsMore = false }
        let task = fixture.start(replication, sink)
        // More than the socket's buffers hold, so that the server is stuck in the middle of it.
        try await fixture.connection.execute(
            "INSERT INTO pressure SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) n")
        try await fixture.mark("end")
        try await Task.sleep(for: .seconds(4))
        #expect(sink.messages.isEmpty)
        sink.state.withLock { $0.wantsMore = true }
        replication.wake()
        try await eventually("everything arrives") { sink.marks == ["end"] }
        // Compared outside of the macro, which would print and compare both lists at length.
        let inserted = sink.inserted
        let isComplete = inserted == (1...20000).map { String($0) }
        #expect(isComplete, "\(inserted.count) rows, from \(inserted.first ?? "") to \(inserted.last ?? "")")
        try await fixture.end(replication, task)
    }

    @Test(arguments: try await TestServers.all())
    func aStopAtAnyMomentEndsTheStream(_ version: ServerBinaries) async throws {
        let fixture = try await Fixture(version, "stopping")
        try await fixture.connection.execute(
            "INSERT INTO stopping SELECT n, repeat('x', 1000) FROM generate_series(1, 50000) n")
        for wantsMore in [true, false] {
            let replication = try await fixture.replicate()
            let sink = RecordingSink()
            sink.state.withLock { $0.wantsMore = wantsMore }
            let task = fixture.start(replication, sink)
            if wantsMore { try await eventually("it has begun") { !sink.messages.isEmpty } }
            replication.stop()
            try await task.value
        }
        let before = try await fixture.replicate()
        before.stop()
        try await before.stream(slot: "stopping", publication: "stopping", sink: RecordingSink())
        try await fixture.end(nil, nil)
    }

    @Test(arguments: try await TestServers.all())
    func whatTheSinkThrowsEndsTheStream(_ version: ServerBinaries) async throws {
        struct Refusal: Error {}
        struct RefusingSink: ReplicationSink {
            let confirmed: LSN? = nil
            let wantsMore = true
            func receive(_ data: borrowing XLogData) throws { throw Refusal() }
            func receive(keepalive end: LSN) throws {}
        }
        let fixture = try await Fixture(version, "refusing")
        try await fixture.mark("one")
        let replication = try await fixture.replicate()
        await #expect(throws: Refusal.self) {
            try await replication.stream(slot: "refusing", publication: "refusing", sink: RefusingSink())
        }
        try await fixture.end(nil, nil)
    }
}
