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

    /// - Parameters:
    ///   - pages: how many the source has, at least 1.
    ///   - greenPages: how many the shadow has.
    ///   - points: in the order of the source's pages. Those out of line with most of the others belong to rows that were written after the copy.
    init(pages: Int64, greenPages: Int64, points: [Point] = []) {
        let inside = points.filter { $0.source > 0 && $0.source < pages && $0.green >= 0 && $0.green <= greenPages }
        self.points =
            [Point(source: 0, green: 0)] + Self.longestAscent(inside) + [Point(source: pages, green: greenPages)]
    }

    /// The shadow's pages that belong to these of the source.
    func green(of pages: Range<Int64>) -> Range<Int64> {
        let start = green(at: pages.lowerBound)
        return start..<max(start, green(at: pages.upperBound))
    }

    private func green(at page: Int64) -> Int64 {
        guard let after = points.firstIndex(where: { $0.source >= page }) else { return points[points.count - 1].green }
        let end = points[after]
        guard after > 0, end.source > page else { return end.green }
        let start = points[after - 1]
        let part = Double(page - start.source) / Double(end.source - start.source)
        return start.green + Int64(part * Double(end.green - start.green))
    }

    /// As many of the points as can be kept so that the shadow's pages never fall (patience sorting).
    private static func longestAscent(_ points: [Point]) -> [Point] {
        // The last point of the best ascent of each length, and each point's predecessor.
        var ends: [Int] = []
        var previous: [Int?] = []
        for (index, point) in points.enumerated() {
            var (low, high) = (0, ends.count)
            while low < high {
                let middle = (low + high) / 2
                if points[ends[middle]].green <= point.green { low = middle + 1 } else { high = middle }
            }
            previous.append(low > 0 ? ends[low - 1] : nil)
            if low == ends.count { ends.append(index) } else { ends[low] = index }
        }
        var ascent: [Point] = []
        var next = ends.last
        while let index = next {
            ascent.append(points[index])
            next = previous[index]
        }
        return ascent.reversed()
    }
}
