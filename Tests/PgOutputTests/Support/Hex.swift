/// Bytes from hexadecimal text; spaces and line ends between them do not count. `nil` if it is not that.
func bytes(hex: some StringProtocol) -> [UInt8]? {
    let digits = hex.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    guard digits.count % 2 == 0, digits.count == hex.filter({ !$0.isWhitespace }).count else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The messages of a captured stream: paragraphs of hexadecimal text.
func messages(hexParagraphs text: String) -> [[UInt8]?] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .split(whereSeparator: \.isEmpty)
        .map { bytes(hex: $0.joined()) }
}
