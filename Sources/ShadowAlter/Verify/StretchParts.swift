/// What is left of a stretch while it is compared part by part. Pure.
struct StretchParts: Sendable {
    private var parts: [Range<Int64>]

    init(_ pages: Range<Int64>) { parts = [pages] }

    /// The part to be compared next, until it is compared; nil at the end.
    var next: Range<Int64>? { parts.last }

    mutating func end() { parts.removeLast() }

    /// The next part had more in it than can be noted at once: its halves come instead. A single page is tried again.
    mutating func halve() {
        guard let pages = parts.last, pages.count > 1 else { return }
        let middle = pages.lowerBound + Int64(pages.count / 2)
        parts.removeLast()
        parts += [middle..<pages.upperBound, pages.lowerBound..<middle]
    }
}
