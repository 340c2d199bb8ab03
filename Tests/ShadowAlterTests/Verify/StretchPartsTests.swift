import Testing

@testable import ShadowAlter

@Suite struct StretchPartsTests {
    /// However much is written, a stretch comes to its end: with a limit of rows at a time, one part after the other fits.
    @Test(arguments: [1, 2, 3, 64, 1000] as [Int64])
    func whatIsTooMuchComesInHalves(atOnce: Int64) {
        var parts = StretchParts(7..<1007)
        var compared: [Range<Int64>] = []
        // More rounds than it can take, so that one that never ends fails.
        for _ in 0..<5000 {
            guard let pages = parts.next else { break }
            if pages.count > atOnce {
                parts.halve()
            } else {
                compared.append(pages)
                parts.end()
            }
        }
        #expect(compared.flatMap(Array.init) == Array(7..<1007), "each page once, in order")
    }

    @Test func aSinglePageIsTriedAgain() {
        var parts = StretchParts(5..<6)
        parts.halve()
        #expect(parts.next == 5..<6)
        parts.end()
        #expect(parts.next == nil)
    }
}
