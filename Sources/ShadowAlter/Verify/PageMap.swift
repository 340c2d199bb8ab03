/// Where a table's shadow has the rows of the table's pages, about. Pure.
///
/// The copy writes rows in the order of the source's file, so that a stretch of one file belongs to a stretch of the other. Whatever the points say,
/// ranges that cover the source give ranges that cover the shadow, each page once: a bad map costs time and hides nothing.
struct PageMap: Sendable, Equatable {
    /// A page of the source, and the page of the shadow where its rows were found.
    struct Point: Sendable, Equatable {
        var source: Int64
        var green: Int64
    }

    /// Both numbers grow, from the beginning of both files to their ends.
    private let points: [Point]

    /// Sessions that copy side by side mix rows from places of the source that are about so many pages apart.
    private static let reach: Int64 = 4096

    private static let usualPoints: Int64 = 2048
    private static let mostPoints: Int64 = 65_536

    /// How far apart points are looked for: of a large table more of them, since the rows between two points may be of any length, and one that is
    /// put further from its place than a stretch is long has its rows looked up one by one.
    static func spacing(pages: Int64) -> Int64 {
        max(64, min(pages / usualPoints, reach), pages / mostPoints)
    }

    /// - Parameters:
    ///   - pages: how many the source has, at least 1.
    ///   - greenPages: how many the shadow has.
    ///   - points: in the order of the source's pages. Those out of line with most of their neighbours belong to rows that were written after
    ///     the copy.
    init(pages: Int64, greenPages: Int64, points: [Point] = []) {
        let inside = points.filter { $0.source > 0 && $0.source < pages && $0.green >= 0 && $0.green <= greenPages }
        var highest: Int64 = 0
        let rising = Self.smooth(inside).map { point in
            highest = max(highest, point.green)
            return Point(source: point.source, green: highest)
        }
        self.points = [Point(source: 0, green: 0)] + rising + [Point(source: pages, green: greenPages)]
    }

    /// The shadow's pages that belong to these of the source.
    func green(of pages: Range<Int64>) -> Range<Int64> {
        let start = green(at: pages.lowerBound)
        return start..<max(start, green(at: pages.upperBound))
    }

    private func green(at page: Int64) -> Int64 {
        let after = firstPoint(from: page)
        guard after < points.count else { return points[points.count - 1].green }
        let end = points[after]
        guard after > 0, end.source > page else { return end.green }
        let start = points[after - 1]
        let part = Double(page - start.source) / Double(end.source - start.source)
        return start.green + Int64(part * Double(end.green - start.green))
    }

    private func firstPoint(from page: Int64) -> Int {
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low + high) / 2
            if points[middle].source < page { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Each point with the median of its neighbourhood, as many of them before it as after it.
    private static func smooth(_ points: [Point]) -> [Point] {
        points.indices.map { index in
            var width = 0
            while width < min(index, points.count - 1 - index),
                width < 2 || points[index].source - points[index - width].source < reach
            {
                width += 1
            }
            let neighbours = points[(index - width)...(index + width)].map(\.green).sorted()
            return Point(source: points[index].source, green: neighbours[width])
        }
    }
}
