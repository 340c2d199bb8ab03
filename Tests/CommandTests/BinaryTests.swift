import Foundation
import TestSupport
import Testing

/// The built program.
enum Binary {
    struct Answer {
        let status: Int32
        let output: String
        let error: String
    }

    /// Runs it to its end.
    ///
    /// - Parameter environment: by default one in which no server of the machine's can be reached.
    static func run(
        _ arguments: [String], environment: [String: String] = ["PGHOST": "/nowhere", "PATH": "/nowhere"]
    ) throws -> Answer {
        let process = Process()
        let (output, error) = (Pipe(), Pipe())
        process.executableURL = try BuiltProgram.url()
        process.arguments = arguments
        process.environment = environment
        process.standardOutput = output
        process.standardError = error
        try process.run()
        // Both answers are far smaller than a pipe, so reading one after the other cannot block.
        let texts = try [output, error].map {
            String(decoding: try $0.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        }
        process.waitUntilExit()
        return Answer(status: process.terminationStatus, output: texts[0], error: texts[1])
    }
}

/// What the program does without a server.
struct BinaryTests {
    /// Before the server is asked for anything.
    @Test func hooksThatAreNotInOrderAreRefused() throws {
        let answer = try Binary.run(["run", "--table", "t", "--alter", "x", "--hooks", "/nowhere/hooks"])
        #expect(answer.status == 3)
        #expect(answer.error.contains("/nowhere/hooks: the directory of --hooks does not exist"), "\(answer.error)")
    }

    @Test(arguments: [
        ["bogus"], ["run"], ["run", "--table", "t"], ["run", "--table", "t", "--alter", "x", "--lock-timeout", "5"],
        ["run", "--table", "t", "--alter", "x", "--copy-workers", "0"], ["run", "--script", "/nowhere/script.sql"],
        ["run", "--table", "t", "--alter", "x", "--hooks-timeout", "500ms"],
        ["run", "--table", "t", "--alter", "x", "--hooks-status-interval", "often"],
        ["plan", "--nonsense"], ["status", "a", "b"], ["demo", "--rows", "none"], ["demo", "--rows", "0"],
    ])
    func aCommandLineThatCannotBeUnderstoodEndsWith2(arguments: [String]) throws {
        let answer = try Binary.run(arguments)
        #expect(answer.status == 2)
        #expect(answer.output.isEmpty)
        #expect(answer.error.hasPrefix("Error: "), "\(answer.error)")
    }

    @Test(arguments: [[], ["--help"], ["run", "--help"], ["help", "demo"], ["--version"]])
    func helpEndsWith0(arguments: [String]) throws {
        let answer = try Binary.run(arguments)
        #expect(answer.status == 0)
        #expect(!answer.output.isEmpty)
        #expect(answer.error.isEmpty)
    }

    @Test(arguments: [
        ["plan", "--table", "t", "--alter", "x"], ["run", "--table", "t", "--alter", "x"], ["status", "n"], ["list"],
        ["cut-over", "n"], ["abort", "n"], ["finalize", "n"],
    ])
    func withoutAServerEveryCommandEndsWith1AndSaysWhy(arguments: [String]) throws {
        let answer = try Binary.run(arguments)
        #expect(answer.status == 1)
        #expect(answer.error.contains("No connection to PostgreSQL"), "\(answer.error)")
        #expect(answer.error.contains("/nowhere"))
        #expect(answer.error.contains("Next: "))
    }

    /// libpq's messages quote a connection string that it does not understand.
    @Test(arguments: [
        "postgresql://me:s3cret@host/db?nonsense=1", "host=h password=two s3cret words", "mysql://me:s3cret@h/d",
        "postgres://me:s3@s3cret@host/db",
    ])
    func aPasswordIsNotRepeated(conninfo: String) throws {
        for command in [["status", "n"], ["run", "--table", "t", "--alter", "x", "--log-format", "json"]] {
            let answer = try Binary.run(command + ["--dsn", conninfo])
            #expect(answer.status == 1 && answer.error.contains("the connection string"), "\(answer.error)")
            #expect(!(answer.error + answer.output).contains("s3cret"), "\(answer.error)")
        }
    }

    /// A program that reads the log needs nothing else.
    @Test func withAJSONLogTheErrorIsOneOfItsLines() throws {
        let answer = try Binary.run([
            "run", "--table", "t", "--alter", "", "--log-format", "json", "--dsn", "host=/nowhere/at/all",
        ])
        #expect(answer.status == 1)
        let lines = answer.error.split(separator: "\n")
        #expect(!lines.isEmpty)
        for line in lines {
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(entry?["level"] as? String != nil && entry?["message"] as? String != nil, "\(line)")
        }
        #expect(lines.last?.contains("\"level\":\"error\"") == true && answer.error.contains("/nowhere/at/all"))
    }

    @Test func aDemonstrationWithoutAServerSaysWhere() throws {
        let answer = try Binary.run(["demo", "--server-bin", "/nowhere"])
        #expect(answer.status == 1)
        #expect(answer.error.contains("/nowhere"))
    }
}
