import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct VerifyAgendaTests {
    private static let green = QualifiedName(schema: "item_green", name: "item")

    private func agenda(_ sweeps: [VerifyAgenda.Sweep]) -> VerifyAgenda {
        var generator = SystemRandomNumberGenerator()
        return VerifyAgenda(sweeps, share: 1, using: &generator)
    }

    @Test func everyPageOfBothSidesIsHandedOutOnce() {
        var agenda = agenda([
            .init(table: 0, side: .source, filenode: 1, pages: 5),
            .init(table: 0, side: .green(Self.green), filenode: nil, pages: 3),
            .init(table: 1, side: .source, filenode: 2, pages: 0),
            .init(table: 1, side: .wholeGreen, filenode: nil, pages: 1),
        ])
        #expect(agenda.pagesLeft == 9)
        var seen: [String] = []
        while let stretch = agenda.next(size: { _ in 2 }) {
            seen.append("\(stretch.sweep.table) \(stretch.sweep.side == .source) \(stretch.pages)")
            agenda.end(stretch)
        }
        #expect(
            seen == ["0 true 0..<2", "0 true 2..<4", "0 true 4..<5", "0 false 0..<2", "0 false 2..<3", "1 false 0..<1"])
        #expect(agenda.next(size: { _ in 2 }) == nil)
        #expect(agenda.pagesLeft == 0)
    }

    @Test func stretchesBecomeShorterTowardsTheEnd() {
        var agenda = agenda([.init(table: 0, side: .source, filenode: 1, pages: 10_000)])
        var lengths: [Int] = []
        while let stretch = agenda.next(lanes: 2, size: { _ in 2_000 }) {
            lengths.append(stretch.pages.count)
            agenda.end(stretch)
        }
        #expect(lengths.reduce(0, +) == 10_000)
        #expect(lengths.first == 2_000)
        #expect(lengths == lengths.sorted(by: >))
        #expect(lengths.suffix(2).allSatisfy { $0 <= 256 })
        #expect(lengths.count < 16)
    }

    @Test func aTableThatWasRewrittenIsLeftToTheNextTime() throws {
        var agenda = agenda([
            .init(table: 0, side: .source, filenode: 1, pages: 5),
            .init(table: 1, side: .source, filenode: 2, pages: 3),
            .init(table: 0, side: .wholeGreen, filenode: nil, pages: 1),
        ])
        let next = agenda.next(size: { _ in 2 })
        let stretch = try #require(next)
        agenda.remove(table: 0)
        // Another lane finds out as well.
        agenda.remove(table: 0)
        agenda.end(stretch)
        #expect(agenda.pagesLeft == 3)
        let other = agenda.next(size: { _ in 9 })
        #expect(other?.sweep.table == 1 && other?.pages == 0..<3)
        #expect(agenda.next(size: { _ in 9 }) == nil)
    }

    @Test func aSampleTakesItsShareAndAtLeastSome() {
        var generator = SystemRandomNumberGenerator()
        for (pages, share) in [(Int64(1_000_000), 0.01), (100_000, 0.5), (10_000, 0.001), (300, 0.01), (257, 0.99)] {
            let leftOut = VerifySample.leftOut(pages: pages, share: share, using: &generator)
            let taken = pages - leftOut.reduce(0) { $0 + Int64($1.count) }
            let wanted = max(Double(pages) * share, Double(VerifySample.fewestBlocks * VerifySample.pagesInBlock))
            #expect(abs(Double(taken) - wanted) <= Double(2 * VerifySample.pagesInBlock), "\(pages) \(share): \(taken)")
            #expect(leftOut.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= pages })
        }
    }

    @Test func aSampleOfASmallTableTakesAll() {
        var generator = SystemRandomNumberGenerator()
        let most = VerifySample.fewestBlocks * VerifySample.pagesInBlock
        for pages in [0, 1, 100, most] {
            #expect(VerifySample.leftOut(pages: pages, share: 0.01, using: &generator).isEmpty)
        }
        #expect(VerifySample.leftOut(pages: 1_000_000, share: 1, using: &generator).isEmpty)
    }

    @Test func modesAreReadAsTheyAreWritten() {
        #expect(VerificationMode("full") == .full)
        #expect(VerificationMode("off") == .off)
        #expect(VerificationMode("sample") == .sample(0.01))
        #expect(VerificationMode("sample=5%") == .sample(0.05))
        #expect(VerificationMode("sample=0.5%") == .sample(0.005))
        for text in ["", "some", "sample=", "sample=5", "sample=0%", "sample=100%", "sample=-1%", "sample=nan%"] {
            #expect(VerificationMode(text) == nil, "\(text)")
        }
        for text in ["full", "off", "sample=1%", "sample=5%", "sample=0.5%"] {
            #expect(VerificationMode(text)?.description == text)
        }
    }
}
