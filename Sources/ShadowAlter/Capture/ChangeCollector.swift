import PgConnection
import PgOutput
import PgReplication
import Synchronization

/// Takes the stream, on the replication connection's thread, and collects dirty keys until the spooler fetches them. Never
/// waits, so that keepalives are answered whatever the rest of the engine does.
final class ChangeCollector: ReplicationSink {
    /// When the spooler should come.
    private enum Urgency {
        /// Something is there; a moment's delay makes for larger batches.
        case soon
        /// A watermark is being waited for, or memory is filling up.
        case now
    }

    /// Where a table's keys go.
    private struct Route {
        let table: Int
        let extractor: KeyExtractor
    }

    private struct State {
        var decoder = PgOutputDecoder()
        /// By the identifiers in the stream's Relation messages; other tables than ours are not there.
        var routes: [UInt32: Route] = [:]
        /// The key at hand; kept so that its memory is.
        var key = CopyTextRows()
        var writer: UInt32 = 0
        var isInTransaction = false
        var pending: PendingChanges
        /// Where the transaction at hand was committed.
        var position = LSN(rawValue: 0)
        /// Where the last transaction was committed that has truncated a table.
        var truncations: [LSN?]
        /// Taken by the spooler and not yet durable.
        var isFlushing = false
        /// Whether the bell will ring without further ado.
        var isBellSet = false
        var confirmed: LSN?
    }

    static let watermarkPrefix = "shadow_alter"
    /// The spooler comes at the first figure; at the second the stream is no longer read. Bytes.
    private static let flushThreshold = 4 << 20
    private static let capacity = 12 << 20
    /// How long keys may gather when nobody waits for them.
    private static let gathering = Duration.milliseconds(100)

    private let state: Mutex<State>
    private let tables: [TablePlan]
    private let indexByOID: [UInt32: Int]
    private let bell: AsyncStream<Void>.Continuation
    /// Rings when there is something to flush.
    let rings: AsyncStream<Void>

    init(tables: [TablePlan]) {
        self.tables = tables
        indexByOID = Dictionary(
            tables.enumerated().map { ($1.sourceOID, $0) }, uniquingKeysWith: { first, _ in first })
        state = Mutex(
            State(
                pending: PendingChanges(tableCount: tables.count),
                truncations: Array(repeating: nil, count: tables.count)))
        (rings, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: The stream's side

    func receive(_ data: borrowing XLogData) throws {
        let urgency = try data.withPayload { bytes in
            try state.withLock { state in
                if let row = try state.decoder.rowFrame(bytes) {
                    return try Self.apply(row, in: bytes, to: &state)
                }
                return try apply(try state.decoder.decode(bytes), to: &state)
            }
        }
        if let urgency { ring(urgency) }
    }

    private func ring(_ urgency: Urgency) {
        switch urgency {
        case .now:
            bell.yield()
        case .soon:
            let isSet = state.withLock { state in
                defer { state.isBellSet = true }
                return state.isBellSet
            }
            guard !isSet else { return }
            Task {
                try? await Task.sleep(for: Self.gathering)
                bell.yield()
            }
        }
    }

    func receive(keepalive end: LSN) {
        // Between transactions everything before `end` has been delivered; an idle table's slot moves on by this.
        let advanced = state.withLock { state -> Bool in
            guard !state.isInTransaction else { return false }
            state.pending.completeUpTo = max(end, state.pending.completeUpTo ?? end)
            if !state.pending.hasChanges && state.pending.watermarks.isEmpty && !state.isFlushing {
                state.confirmed = max(end, state.confirmed ?? end)
                return false
            }
            return true
        }
        if advanced { ring(.soon) }
    }

    var confirmed: LSN? { state.withLock { $0.confirmed } }

    var wantsMore: Bool { state.withLock { $0.pending.byteCount < Self.capacity } }

    /// Where the last transaction that has truncated the table at this place was committed, as far as the stream was read.
    func lastTruncation(of table: Int) -> LSN? { state.withLock { $0.truncations[table] } }

    /// To be called before a new stream starts: the server begins again with the first transaction that was not confirmed.
    func restart() {
        state.withLock { state in
            state.decoder = PgOutputDecoder()
            state.routes = [:]
            state.isInTransaction = false
        }
    }

    private func apply(_ message: PgOutputMessage, to state: inout State) throws -> Urgency? {
        switch message {
        case .begin(let begin):
            state.writer = begin.xid
            state.position = begin.finalLSN
            state.isInTransaction = true
            return nil
        case .commit(let commit):
            state.isInTransaction = false
            state.pending.completeUpTo = max(commit.endLSN, state.pending.completeUpTo ?? commit.endLSN)
            return urgency(state)
        case .relation(let relation):
            guard let table = indexByOID[relation.relationID] else { return nil }
            state.routes[relation.relationID] = Route(
                table: table, extractor: try KeyExtractor(relation, table: tables[table]))
            return nil
        case .truncate(let truncate):
            for oid in truncate.relationIDs {
                guard let table = indexByOID[oid] else { continue }
                state.pending.truncate(table: table)
                state.truncations[table] = state.position
            }
        case .message(let message):
            guard message.prefix == Self.watermarkPrefix else { return nil }
            state.pending.watermarks.append(String(decoding: message.content, as: UTF8.self))
            return .now
        case .origin, .type:
            return nil
        case .insert, .update, .delete:
            throw Self.misplaced(message)
        @unknown default:
            throw Self.misplaced(message)
        }
        return Self.fullness(state)
    }

    /// What a well-formed stream of protocol 1 cannot bring here. To drop it could be to lose a change.
    private static func misplaced(_ message: PgOutputMessage) -> MigrationError {
        MigrationError(
            .inconsistent, "the server sent a message that protocol 1 does not have: \(message)",
            state: "no live table was touched; the stream stands before this message",
            advice: "this is a bug: please report it with the server's version")
    }

    /// By far the most frequent: makes the row's key dirty, and the one that it had before. Allocates nothing for keys that are
    /// dirty already.
    private static func apply(_ row: RowFrame, in bytes: RawSpan, to state: inout State) throws -> Urgency? {
        guard let route = state.routes[row.relationID] else { return nil }
        let old = row.old?.tuple
        if let new = row.new {
            try route.extractor.read(new, old: old, in: bytes, into: &state.key)
            state.pending.insert(state.key.bytes, writer: state.writer, table: route.table)
        }
        if let old {
            try route.extractor.read(old, in: bytes, into: &state.key)
            state.pending.insert(state.key.bytes, writer: state.writer, table: route.table)
        }
        return fullness(state)
    }

    private static func fullness(_ state: State) -> Urgency? {
        state.pending.byteCount >= flushThreshold ? .now : nil
    }

    private func urgency(_ state: State) -> Urgency? {
        if state.pending.byteCount >= Self.flushThreshold || !state.pending.watermarks.isEmpty { return .now }
        return .soon
    }

    // MARK: The spooler's side

    /// Hands over what has been collected.
    func take() -> PendingChanges {
        state.withLock { state in
            let taken = state.pending
            state.isFlushing = true
            state.isBellSet = false
            state.pending = PendingChanges(tableCount: tables.count)
            return taken
        }
    }

    /// Everything in `changes`, which `take` returned last, is durable.
    func confirm(_ changes: PendingChanges) {
        state.withLock { state in
            state.isFlushing = false
            guard let position = changes.completeUpTo else { return }
            state.confirmed = max(position, state.confirmed ?? position)
        }
    }
}
