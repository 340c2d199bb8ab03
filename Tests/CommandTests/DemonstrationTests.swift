import Foundation
import TestSupport
import Testing

/// The demonstration as a person runs it, but with fewer rows.
struct DemonstrationTests {
    @Test(.timeLimit(.minutes(5)))
    func itEndsWellAndLeavesNothing() throws {
        let answer = try Binary.run(
            ["demo", "--rows", "20000", "--rate", "200"], environment: ProcessInfo.processInfo.environment)
        #expect(answer.status == 0, "\(answer.output)\n\(answer.error)")
        #expect(answer.output.contains("public.orders.id was integer, is bigint"))
        #expect(answer.output.contains("All is well."))
        let directory = try #require(Self.directory(answer.output))
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test(.timeLimit(.minutes(5)))
    func ctrlCEndsItInOrder() throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = try BuiltProgram.url()
        process.arguments = ["demo", "--rows", "1000"]
        process.standardOutput = output
        process.standardError = output
        try process.run()
        var text = ""
        while !text.contains("First the load alone") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { break }
            text += String(decoding: data, as: UTF8.self)
        }
        process.interrupt()
        text += String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit, "\(text)")
        #expect(process.terminationStatus == 1)
        #expect(text.contains("The demonstration was interrupted"))
        let directory = try #require(Self.directory(text))
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    /// The private server's directory, which the demonstration names.
    private static func directory(_ output: String) -> String? {
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("server ") }) else { return nil }
        return line.split(separator: " ").first { $0.hasPrefix("/") }.map(String.init)
    }
}
