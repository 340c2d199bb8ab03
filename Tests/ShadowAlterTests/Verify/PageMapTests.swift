import Testing

@testable import ShadowAlter

@Suite struct PageMapTests {
    /// Whatever the points: no page of the shadow is left out, or belongs to two stretches.
    @Test func stretchesThatCoverTheSourceCoverTheShadowOnce() {
        var seeded = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let pages = Int64.random(in: 1...5_000, using: &seeded)
            let greenPages = Int64.random(in: 0...5_000, using: &seeded)
            let points = (0..<Int.random(in: 0...50, using: &seeded)).map { _ in
                PageMap.Point(
                    source: .random(in: -10...5_000, using: &seeded), green: .random(in: -10...6_000, using: &seeded))
            }.sorted { $0.source < $1.source }
            let map = PageMap(pages: pages, greenPages: greenPages, points: points)
            var (source, green): (Int64, Int64) = (0, 0)
            while source < pages {
                let end = min(pages, source + .random(in: 1...700, using: &seeded))
                let range = map.green(of: source..<end)
                #expect(range.lowerBound == green, "\(map), \(source)..<\(end)")
                (source, green) = (end, range.upperBound)
            }
            #expect(green == greenPages, "\(map)")
        }
    }

    @Test func betweenTwoPointsPagesAreSpreadEvenly() {
        let map = PageMap(pages: 1_000, greenPages: 700, points: [.init(source: 500, green: 200)])
        #expect(map.green(of: 0..<250) == 0..<100)
        #expect(map.green(of: 250..<500) == 100..<200)
        #expect(map.green(of: 500..<750) == 200..<450)
        #expect(map.green(of: 750..<1_000) == 450..<700)
    }

    /// Rows that were written after the copy are at the end of the shadow's file.
    @Test func pointsOutOfLineAreLeftOut() {
        let points = (1..<100).map { PageMap.Point(source: $0 * 10, green: $0 % 4 == 0 ? 990 : $0 * 10) }
        let map = PageMap(pages: 1_000, greenPages: 1_000, points: points)
        for page in stride(from: Int64(0), to: 800, by: 50) {
            let green = map.green(of: page..<(page + 50))
            #expect(abs(green.lowerBound - page) <= 200, "\(page): \(green)")
        }
    }

    /// Two sessions have copied side by side, 2,000 pages each at a time.
    @Test func mixedChunksAreTakenForTheirMiddle() {
        let points = stride(from: Int64(64), to: 40_000, by: 64).map { page in
            PageMap.Point(source: page, green: page / 4_000 * 4_000 + page % 2_000 * 2)
        }
        let map = PageMap(pages: 40_000, greenPages: 40_000, points: points)
        for page in stride(from: Int64(4_000), to: 36_000, by: 1_000) {
            let green = map.green(of: page..<(page + 1_000))
            #expect(abs(green.lowerBound - page) <= 1_000, "\(page): \(green)")
        }
    }

    /// 8 kB pages: 1 MB, 512 MB, 16 GB, 64 GB, 1 TB, 10 TB.
    @Test(arguments: [
        (128, 64), (65_536, 64), (2_097_152, 1024), (8_388_608, 4096), (134_217_728, 4096), (1_342_177_280, 20_480),
    ])
    func spacing(pages: Int64, spacing: Int64) {
        #expect(PageMap.spacing(pages: pages) == spacing)
    }

    @Test func aSourceWithoutRowsInTheShadowHasTheWholeOfIt() {
        #expect(PageMap(pages: 1, greenPages: 9).green(of: 0..<1) == 0..<9)
        #expect(PageMap(pages: 1, greenPages: 0).green(of: 0..<1) == 0..<0)
    }
}
