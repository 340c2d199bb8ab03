import Testing

@testable import ShadowAlter

@Suite struct TableExtentTests {
    /// A page has 8 kB of its own, and whatever its rows have in TOAST.
    @Test func aPageWithMuchToastCountsForMore() {
        let megabyte: Int64 = 1 << 20
        #expect(TableExtent(pages: 1_000, size: 1_000 * 8_192).pages(holding: 16 * megabyte, atMost: 512) == 512)
        #expect(TableExtent(pages: 1_000, size: 1_000 * 8_192 * 16).pages(holding: 16 * megabyte, atMost: 512) == 128)
        #expect(TableExtent(pages: 10, size: 1 << 40).pages(holding: 16 * megabyte, atMost: 512) == 1)
        #expect(TableExtent(pages: 4 << 30, size: 32 << 40).pages(holding: .max, atMost: 512) == 512)
    }

    @Test func anEmptyTableHasNoLimitOfItsOwn() {
        #expect(TableExtent(pages: 0, size: 0).pages(holding: 1, atMost: 7) == 7)
        #expect(TableExtent(pages: 0, size: 8_192).pages(holding: 1, atMost: 7) == 7)
    }
}
