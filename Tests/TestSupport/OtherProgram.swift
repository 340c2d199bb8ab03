import Foundation

/// Programs beside the one under test, which may not be there.
package enum OtherProgram {
    package struct Answer: Sendable {
        package let status: Int32
        package let output: String
        package let error: String
    }

    /// One of the scripts in `tools`.
    package static func tool(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../tools/\(name)").standardized
    }

    /// The first of these that is in PATH, or what the environment variable names.
    package static func find(_ names: [String], variable: String) -> URL? {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment[variable], !path.isEmpty { return URL(filePath: path) }
        let directories = (environment["PATH"] ?? "").split(separator: ":")
        let paths = directories.flatMap { directory in names.map { "\(directory)/\($0)" } }
        return paths.first { FileManager.default.isExecutableFile(atPath: $0) }.map { URL(filePath: $0) }
    }

    /// What `tools/check-metrics` says of a text.
    package static func checkMetrics(_ text: String) throws -> Answer {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "sa-metrics-\(UInt64.random(in: 0 ... .max))")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try run(tool("check-metrics"), [file.path()])
    }

    /// Runs it to its end. Its answers go through files, so that none of them can fill a pipe.
    package static func run(_ program: URL, _ arguments: [String]) throws -> Answer {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "sa-program-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = try ["output", "error"].map { name in
            let file = directory.appending(path: name)
            try Data().write(to: file)
            return file
        }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
        return Answer(status: process.terminationStatus, output: texts[0], error: texts[1])
    }
}
