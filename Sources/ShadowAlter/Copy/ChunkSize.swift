/// How many pages the next chunk takes, so that it lasts about as long as asked. Pure.
struct ChunkSize: Sendable, Equatable {
    private(set) var pages: Int64
    private let target: Duration
    private let maximum: Int64

    /// Starts small: nothing is known yet about how fast this server is.
    init(target: Duration, maximum: Int64, first: Int64 = 256) {
        self.target = target
        self.maximum = max(1, maximum)
        pages = min(first, self.maximum)
    }

    /// Moves towards the target by at most a factor of four, since one chunk says little.
    mutating func adapt(took: Duration, for pages: Int64) {
        let factor = target.milliseconds / max(took.milliseconds, 0.001)
        let wanted = Double(pages) * min(4, max(0.25, factor))
        self.pages = Int64(min(Double(maximum), max(1, wanted)))
    }
}
