import PgConnection
import PgOutput
import PgReplication
import Synchronization
import TestSupport
import Testing
import ThrowawayServer

/// Decodes everything, and confirms what it has been told to confirm.
final class RecordingSink: ReplicationSink {
    struct State {
        var decoder = PgOutputDecoder()
        var messages: [PgOutputMessage] = []
        var keepalive = LSN.invalid
        var confirmed: LSN?
        var wantsMore = true
        var confirmsAtOnce = false
        /// Marks of other tests come too: a message goes to every slot of the database.
        var markPrefix = ""
    }

    let state = Mutex(State())

    init(confirmsAtOnce: Bool = false) { state.withLock { $0.confirmsAtOnce = confirmsAtOnce } }

    func receive(_ data: borrowing XLogData) throws {
        let message = try state.withLock { state in try data.withPayload { try state.decoder.decode($0) } }
        state.withLock { state in
            state.messages.append(message)
            if state.confirmsAtOnce, case .commit(let commit) = message { state.confirmed = commit.endLSN }
        }
    }

    func receive(keepalive end: LSN) throws {
        state.withLock { state in
            state.keepalive = end
            if state.confirmsAtOnce { state.confirmed = max(end, state.confirmed ?? .invalid) }
        }
    }

    var confirmed: LSN? { state.withLock { $0.confirmed } }
    var wantsMore: Bool { state.withLock { $0.wantsMore } }
    var messages: [PgOutputMessage] { state.withLock { $0.messages } }

    /// The first column of the inserted rows.
    var inserted: [String] {
        messages.compactMap { message in
            guard case .insert(let insert) = message else { return nil }
            return insert.new[0].string
        }
    }

    var marks: [String] {
        let prefix = state.withLock { $0.markPrefix }
        return messages.compactMap { message in
            guard case .message(let mark) = message, mark.prefix == prefix else { return nil }
            return String(decoding: mark.content, as: UTF8.self)
        }
    }
}

/// A table, its publication and its slot, and an ordinary connection beside them.
struct Fixture {
    let version: ServerBinaries
    let name: String
    let connection: PgConnection

    init(_ version: ServerBinaries, _ name: String) async throws {
        self.version = version
        self.name = name
        connection = try await connect(version)
        try await connection.execute("CREATE TABLE \(name) (id int PRIMARY KEY, t text)")
        try await Publication.create(
            name: name, table: QualifiedName(schema: "public", name: name), columns: nil, on: connection)
        _ = try await ReplicationSlot.create(name: name, on: connection)
    }

    func replicate(settings: [String: String] = [:]) async throws -> ReplicationConnection {
        try await replication(version, settings: settings)
    }

    func start(_ replication: ReplicationConnection, _ sink: RecordingSink) -> Task<Void, any Error> {
        let name = name
        sink.state.withLock { $0.markPrefix = name }
        return Task { try await replication.stream(slot: name, publication: name, sink: sink) }
    }

    func mark(_ content: String) async throws {
        try await Watermark.emit(on: connection, prefix: name, content: content)
    }

    /// Ends the stream and drops what was made.
    func end(_ replication: ReplicationConnection?, _ task: Task<Void, any Error>?) async throws {
        replication?.stop()
        try await task?.value
        #expect(try await ReplicationSlot.drop(name: name, on: connection))
        try await Publication.drop(name: name, on: connection)
    }
}

func replication(_ version: ServerBinaries, settings: [String: String] = [:]) async throws -> ReplicationConnection {
    let server = try await TestServers.shared.server(version)
    return try await ReplicationConnection.connect(
        ConnectionOptions(conninfo: server.conninfo(), settings: settings), statusInterval: .milliseconds(200))
}
