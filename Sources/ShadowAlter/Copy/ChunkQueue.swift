/// The pages of a table that are still to be copied. Pure: hands out ranges, each once.
struct ChunkQueue: Sendable, Equatable {
    private var gaps: [Range<Int64>]

    /// All pages but those that are done. Done ranges may come in any order; they do not overlap.
    init(pages: Int64, done: [Range<Int64>] = []) {
        var gaps: [Range<Int64>] = []
        var next: Int64 = 0
        for range in done.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if next < range.lowerBound { gaps.append(next..<range.lowerBound) }
            next = max(next, range.upperBound)
        }
        if next < pages { gaps.append(next..<pages) }
        self.gaps = gaps.reversed()
    }

    /// The next at most `size` pages, in the order of the file; nil when all are handed out.
    mutating func next(_ size: Int64) -> Range<Int64>? {
        guard let gap = gaps.popLast() else { return nil }
        let end = min(gap.upperBound, gap.lowerBound + max(1, size))
        if end < gap.upperBound { gaps.append(end..<gap.upperBound) }
        return gap.lowerBound..<end
    }

    var remaining: Int64 { gaps.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }
}
