/// What is still to be copied of all tables, as one list from which all lanes take: a table's last chunk leaves no lane without work. Pure.
struct CopyAgenda: Sendable {
    struct Chunk: Sendable, Equatable {
        /// The table's place in the migration.
        let table: Int
        let file: SourceFile
        let pages: Range<Int64>
    }

    enum Next: Sendable, Equatable {
        case chunk(Chunk)
        /// Nothing now; but a chunk that is being copied may turn out to have to be copied anew.
        case wait
        case finished
    }

    private enum Entry {
        /// The chunk list is being made.
        case starting
        case open(SourceFile, ChunkQueue)
    }

    private var entries: [Entry]
    private var chunksInProgress = 0

    /// No table has a chunk list yet.
    init(tables: Int) { entries = Array(repeating: .starting, count: tables) }

    mutating func open(_ table: Int, _ file: SourceFile, _ queue: ChunkQueue) {
        entries[table] = .open(file, queue)
    }

    /// The next chunk of the first table that has one. To be given back by `end`.
    ///
    /// - Parameter sizes: how many pages to take, for each table.
    mutating func next(sizes: [Int64]) -> Next {
        for (table, entry) in entries.enumerated() {
            guard case .open(let file, var queue) = entry, let pages = queue.next(sizes[table]) else { continue }
            entries[table] = .open(file, queue)
            chunksInProgress += 1
            return .chunk(Chunk(table: table, file: file, pages: pages))
        }
        let isStarting = entries.contains { entry in
            if case .starting = entry { true } else { false }
        }
        return isStarting || chunksInProgress > 0 ? .wait : .finished
    }

    mutating func end(_ chunk: Chunk) { chunksInProgress -= 1 }

    /// The chunk's table has another file than the chunk was made for. Returns whether the caller is to make the new chunk list; another
    /// lane may have found out earlier.
    ///
    /// Whoever took the table's old file away had it for himself: all chunks of that file had ended, so that nobody copies from it now.
    mutating func isFirstToRestart(_ chunk: Chunk) -> Bool {
        guard case .open(chunk.file, _) = entries[chunk.table] else { return false }
        entries[chunk.table] = .starting
        return true
    }

    /// Whether `next` would give a chunk.
    var hasChunks: Bool {
        entries.contains { entry in
            if case .open(_, let queue) = entry { queue.remaining > 0 } else { false }
        }
    }
}
