import ShadowAlter
import Testing

@Suite struct UnitTextTests {
    @Test(arguments: [
        (Duration.milliseconds(500), "500ms"), (.seconds(1), "1s"), (.seconds(90), "90s"), (.seconds(120), "2m"),
        (.seconds(7200), "2h"), (.seconds(172_800), "2d"), (.microseconds(500), "0.5ms"), (.zero, "0ms"),
    ])
    func durationsAreShownInTheLargestWholeUnit(_ duration: Duration, text: String) {
        #expect(DurationText(duration).description == text)
        #expect(DurationText(text)?.duration == duration)
    }

    @Test func onlyZeroNeedsNoUnit() {
        #expect(DurationText("0")?.duration == .zero)
        #expect(DurationText("1") == nil && DurationText("00") == nil && DurationText("") == nil)
    }

    @Test(arguments: [(Int64(1), "1B"), (1536, "1536B"), (2048, "2kB"), (64 << 20, "64MB"), (3 << 40, "3TB")])
    func sizesAreShownInTheLargestWholeUnit(_ bytes: Int64, text: String) {
        #expect(SizeText(bytes: bytes).description == text)
        #expect(SizeText(text)?.bytes == bytes)
    }
}
