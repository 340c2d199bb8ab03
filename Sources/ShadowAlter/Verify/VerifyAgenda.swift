import PgConnection

/// What is still to be compared, of all tables and both sides, as one list from which all lanes take. Pure.
struct VerifyAgenda: Sendable {
    /// One pass over one file, or over a table at once.
    struct Sweep: Sendable, Equatable {
        enum Side: Sendable, Equatable {
            /// The source's rows are looked for in the shadow.
            case source
            /// The same, together with that part of the shadow's own file which has them; its rows are looked for in the source, too, if an index finds them there.
            case pair(QualifiedName, PageMap)
            /// Rows of the shadow's own file, or of a partition's, are looked for in the source.
            case green(QualifiedName)
            /// The same in one statement for the whole shadow, where no index finds the source's row.
            case wholeGreen
        }

        /// The table's place in the migration.
        var table: Int
        var side: Side
        /// The file that is swept; its number is nil where another file would not matter.
        var filenode: UInt32?
        var pages: Int64

        /// Whether it is the source's pages that are counted.
        var isOfSource: Bool {
            switch side {
            case .source, .pair: true
            case .green, .wholeGreen: false
            }
        }
    }

    struct Stretch: Sendable, Equatable {
        var sweep: Sweep
        var pages: Range<Int64>
    }

    private struct Entry {
        var sweep: Sweep
        var queue: ChunkQueue
    }

    /// Shorter ones would cost more than a lane that waits for the others.
    private static let shortestLast: Int64 = 256

    private var entries: [Entry]
    private(set) var pagesLeft: Int64

    /// - Parameter share: the part of the pages that is compared.
    init(_ sweeps: [Sweep], share: Double, using generator: inout some RandomNumberGenerator) {
        entries = sweeps.map { Self.entry($0, share: share, using: &generator) }
        pagesLeft = entries.reduce(0) { $0 + $1.queue.remaining }
    }

    private static func entry(
        _ sweep: Sweep, share: Double, using generator: inout some RandomNumberGenerator
    ) -> Entry {
        Entry(
            sweep: sweep,
            queue: ChunkQueue(
                pages: sweep.pages,
                done: VerifySample.leftOut(pages: sweep.pages, share: share, using: &generator)))
    }

    /// The next stretch of the first sweep that has one, to be given back by `end`; nil when all of it is given out.
    ///
    /// - Parameter lanes: how many take from here. Towards the end the stretches become shorter, so that all of them end at about the same time.
    mutating func next(lanes: Int = 1, size: (Sweep) -> Int64) -> Stretch? {
        let share = lanes > 1 ? max(Self.shortestLast, pagesLeft / Int64(2 * lanes)) : .max
        for index in entries.indices {
            guard let pages = entries[index].queue.next(min(share, size(entries[index].sweep))) else { continue }
            return Stretch(sweep: entries[index].sweep, pages: pages)
        }
        return nil
    }

    mutating func end(_ stretch: Stretch) {
        pagesLeft = max(0, pagesLeft - Int64(stretch.pages.count))
    }

    /// Nothing more of this table: in the file that it has now no row is where it was.
    mutating func remove(table: Int) {
        pagesLeft -= entries.filter { $0.sweep.table == table }.reduce(0) { $0 + $1.queue.remaining }
        entries.removeAll { $0.sweep.table == table }
    }

    /// Whether `next` would give a stretch.
    var hasStretches: Bool { entries.contains { $0.queue.remaining > 0 } }
}

/// Which pages a sample takes: blocks that are spread evenly over the file, from a place that chance decides. Pure.
enum VerifySample {
    /// Of each file, however small the share.
    static let fewestBlocks: Int64 = 8
    static let pagesInBlock: Int64 = 32

    /// What the sample leaves out; nothing when it takes all.
    static func leftOut(
        pages: Int64, share: Double, using generator: inout some RandomNumberGenerator
    ) -> [Range<Int64>] {
        let blocks = (pages + pagesInBlock - 1) / pagesInBlock
        let wanted = max(fewestBlocks, Int64((Double(blocks) * share).rounded(.up)))
        guard share < 1, wanted < blocks else { return [] }
        let stride = Double(blocks) / Double(wanted)
        let offset = Double.random(in: 0..<stride, using: &generator)
        var leftOut: [Range<Int64>] = []
        var next: Int64 = 0
        for index in 0..<wanted {
            let first = Int64(offset + Double(index) * stride) * pagesInBlock
            if next < first { leftOut.append(next..<first) }
            next = min(pages, first + pagesInBlock)
        }
        if next < pages { leftOut.append(next..<pages) }
        return leftOut
    }
}
