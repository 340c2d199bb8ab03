import Foundation

/// The built program as a process of its own.
package final class ToolProcess {
    package struct NotBuilt: Error, CustomStringConvertible { package let description: String }

    private let process = Process()
    private let directory: URL

    /// Beside the program that runs the tests, where the build puts both; a test bundle's path is among the arguments.
    private static func program() throws -> URL {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let places = [own] + CommandLine.arguments.map { URL(filePath: $0) }
        for place in places {
            let program = place.deletingLastPathComponent().appending(path: "shadow-alter")
            if FileManager.default.isExecutableFile(atPath: program.path()) { return program }
        }
        throw NotBuilt(description: "there is no shadow-alter beside \(own.path()): run `swift build --build-tests`")
    }

    /// Starts it. What it says goes to files, so that it never waits for a reader.
    package init(_ arguments: [String]) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "sa-tool-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for name in ["output", "error"] { try Data().write(to: directory.appending(path: name)) }
        process.executableURL = try Self.program()
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: directory.appending(path: "output"))
        process.standardError = try FileHandle(forWritingTo: directory.appending(path: "error"))
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: directory)
    }

    package var isRunning: Bool { process.isRunning }
    package var output: String { text("output") }
    package var error: String { text("error") }

    private func text(_ name: String) -> String {
        (try? Data(contentsOf: directory.appending(path: name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The most memory that it has had resident so far, in bytes (`VmHWM`); nil when it has ended.
    package var peakMemory: Int64? {
        guard let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int64($0) })
        else { return nil }
        return kilobytes << 10
    }

    /// Ends it without a word.
    package func kill9() { kill(process.processIdentifier, SIGKILL) }

    /// Its exit code, once it has ended.
    package func wait() async throws -> Int32 {
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        return process.terminationStatus
    }
}
