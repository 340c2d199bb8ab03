import FoundationEssentials
import Testing

/// For every refusal there is a test: its code stands somewhere in the tests.
@Suite struct RefusalCodesTests {
    /// Those that cannot come about on any server that exists, or only where another refusal was forgotten.
    private static let unreachable: Set<String> = ["not-a-table", "no-usable-key"]

    @Test func everyRefusalHasATest() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let sources = try Self.swift(below: root.appending(path: "Sources/ShadowAlter"))
        let codes = Set(sources.flatMap { $0.matches(of: /code: "([a-z-]+)"/).map { String($0.1) } })
        #expect(codes.count > 40)
        let tests = try Self.swift(below: root.appending(path: "Tests")).joined()
        let untested = codes.subtracting(Self.unreachable).filter {
            !tests.contains("\"\($0)\"")
        }
        #expect(untested.isEmpty, "no test mentions \(untested.sorted())")
    }

    private static func swift(below directory: URL) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".swift") }.map {
            String(decoding: try Data(contentsOf: directory.appending(path: $0)), as: UTF8.self)
        }
    }
}
