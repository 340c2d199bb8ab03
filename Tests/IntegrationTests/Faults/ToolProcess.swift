import Foundation
import TestSupport
import ThrowawayServer

/// The program, as an operator starts it, in a process of its own that can be killed.
final class ToolProcess: Sendable {
    /// How it has ended.
    struct Ended: Sendable, CustomStringConvertible {
        /// nil: a signal has ended it.
        let exit: Int32?
        let signal: Int32?
        let output: String
        let error: String

        var description: String {
            (exit.map { "exit \($0)" } ?? "signal \(signal ?? 0)") + "\n\(output.suffix(2000))\n\(error.suffix(4000))"
        }
    }

    let arguments: [String]
    private let process: Process
    private let directory: URL

    /// - Parameters:
    ///   - failpoint: what `SHADOW_ALTER_FAILPOINT` says; nil: it is not set.
    init(_ arguments: [String], on database: TestDatabase, failpoint: String? = nil) throws {
        self.arguments = arguments
        directory = FileManager.default.temporaryDirectory.appending(path: "sa-tool-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for name in ["output", "error"] { try Data().write(to: directory.appending(path: name)) }
        process = Process()
        process.executableURL = try BuiltProgram.url()
        process.arguments = arguments
        var environment = [
            "PGHOST": database.server.socketDirectory, "PGPORT": "\(database.server.port)", "PGDATABASE": database.name,
            "PGUSER": "postgres", "PATH": "/nowhere",
            // Where control sockets are made: a server's directory is nobody else's.
            "XDG_RUNTIME_DIR": database.server.socketDirectory,
        ]
        environment["SHADOW_ALTER_FAILPOINT"] = failpoint
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: directory.appending(path: "output"))
        process.standardError = try FileHandle(forWritingTo: directory.appending(path: "error"))
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: directory)
    }

    var isRunning: Bool { process.isRunning }
    var pid: Int32 { process.processIdentifier }

    func send(_ signal: Int32) {
        if process.isRunning { kill(process.processIdentifier, signal) }
    }

    var output: String { text("output") }
    var error: String { text("error") }

    /// The most memory that it has had resident so far, in bytes (`VmHWM`); nil when it has ended.
    var peakMemory: Int64? {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int64($0) })
        else { return nil }
        return kilobytes << 10
    }

    private func text(_ name: String) -> String {
        String(decoding: (try? Data(contentsOf: directory.appending(path: name))) ?? Data(), as: UTF8.self)
    }

    /// Waits for its end. When the test is cancelled, it is killed.
    func ended() async -> Ended {
        while process.isRunning {
            if Task.isCancelled { send(SIGKILL) }
            try? await Task.sleep(for: .milliseconds(5))
        }
        let isExit = process.terminationReason == .exit
        return Ended(
            exit: isExit ? process.terminationStatus : nil, signal: isExit ? nil : process.terminationStatus,
            output: output, error: error)
    }

    /// The same for one that may stand still for ever if something is wrong: then it is killed.
    func ended(within limit: Duration) async throws -> Ended {
        do {
            try await eventually("\(arguments) comes to its end", within: limit) { !isRunning }
        } catch let error as NeverHappened {
            send(SIGKILL)
            throw NeverHappened(description: "\(error); \(await ended())")
        }
        return await ended()
    }

    /// Waits until a failpoint has stopped it, which only SIGCONT ends.
    func untilPaused() async throws {
        try await eventually("\(arguments) is stopped") {
            let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            if status.split(separator: ")").last?.split(separator: " ").first == "T" { return true }
            guard process.isRunning else {
                throw NeverHappened(description: "it ended instead of being stopped: \(await ended())")
            }
            return false
        }
    }

    /// Runs it to its end.
    static func run(_ arguments: [String], on database: TestDatabase, failpoint: String? = nil) async throws -> Ended {
        try await ToolProcess(arguments, on: database, failpoint: failpoint).ended()
    }
}
