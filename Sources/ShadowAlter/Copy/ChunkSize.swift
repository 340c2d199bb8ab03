/// How many pages the next chunk takes, so that it lasts about as long as asked. Pure.
struct ChunkSize: Sendable, Equatable {
    private(set) var pages: Int64

    /// Starts small: nothing is known yet about how fast this server is.
    init(maximum: Int64, first: Int64 = 256) {
        pages = min(first, max(1, maximum))
    }

    /// Moves towards the target by at most a factor of four, since one chunk says little.
    ///
    /// - Parameters:
    ///   - pages: how many the chunk had that took so long.
    ///   - target: how long one should take.
    ///   - maximum: in pages.
    mutating func adapt(took: Duration, for pages: Int64, target: Duration, maximum: Int64) {
        let factor = target.milliseconds / max(took.milliseconds, 0.001)
        let wanted = Double(pages) * min(4, max(0.25, factor))
        self.pages = Int64(max(1, min(Double(maximum), wanted)))
    }
}
