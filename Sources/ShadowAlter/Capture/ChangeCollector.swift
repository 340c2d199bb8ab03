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

    private struct State {
        var decoder = PgOutputDecoder()
        var extractors: [UInt32: KeyExtractor] = [:]
        var writer: UInt32 = 0
        var isInTransaction = false
        var pending: PendingChanges
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
        state = Mutex(State(pending: PendingChanges(tableCount: tables.count)))
        (rings, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: The stream's side

    func receive(_ data: borrowing XLogData) throws {
        let urgency = try data.withPayload { bytes in
            try state.withLock { state in
                let message = try state.decoder.decode(bytes)
                return try apply(message, to: &state)
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

    /// To be called before a new stream starts: the server begins again with the first transaction that was not confirmed.
    func restart() {
        state.withLock { state in
            state.decoder = PgOutputDecoder()
            state.extractors = [:]
            state.isInTransaction = false
        }
    }

    private func apply(_ message: PgOutputMessage, to state: inout State) throws -> Urgency? {
        switch message {
        case .begin(let begin):
            state.writer = begin.xid
            state.isInTransaction = true
            return nil
        case .commit(let commit):
            state.isInTransaction = false
            state.pending.completeUpTo = max(commit.endLSN, state.pending.completeUpTo ?? commit.endLSN)
            return urgency(state)
        case .relation(let relation):
            guard let table = indexByOID[relation.relationID] else { return nil }
            state.extractors[relation.relationID] = try KeyExtractor(relation, table: tables[table])
            return nil
        case .insert(let insert):
            guard let (table, extractor) = extractor(insert.relationID, state) else { return nil }
            state.pending.insert(try extractor.key(insert.new), writer: state.writer, table: table)
        case .update(let update):
            guard let (table, extractor) = extractor(update.relationID, state) else { return nil }
            let old = update.old?.tuple
            state.pending.insert(try extractor.key(update.new, old: old), writer: state.writer, table: table)
            if let old { state.pending.insert(try extractor.key(old), writer: state.writer, table: table) }
        case .delete(let delete):
            guard let (table, extractor) = extractor(delete.relationID, state) else { return nil }
            state.pending.insert(try extractor.key(delete.old.tuple), writer: state.writer, table: table)
        case .truncate(let truncate):
            for oid in truncate.relationIDs {
                if let table = indexByOID[oid] { state.pending.truncate(table: table) }
            }
        case .message(let message):
            guard message.prefix == Self.watermarkPrefix else { return nil }
            state.pending.watermarks.append(String(decoding: message.content, as: UTF8.self))
            return .now
        case .origin, .type:
            return nil
        @unknown default:
            throw MigrationError(
                .inconsistent, "the server sent a message that protocol 1 does not have: \(message)",
                state: "no live table was touched; the stream stands before this message",
                advice: "this is a bug: please report it with the server's version")
        }
        return state.pending.byteCount >= Self.flushThreshold ? .now : nil
    }

    private func urgency(_ state: State) -> Urgency? {
        if state.pending.byteCount >= Self.flushThreshold || !state.pending.watermarks.isEmpty { return .now }
        return .soon
    }

    private func extractor(_ oid: UInt32, _ state: State) -> (Int, KeyExtractor)? {
        guard let table = indexByOID[oid], let extractor = state.extractors[oid] else { return nil }
        return (table, extractor)
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
