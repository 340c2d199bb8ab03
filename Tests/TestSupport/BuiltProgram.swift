import Foundation

/// The built program.
package enum BuiltProgram {
    /// Beside the program that runs these tests, where the build puts both.
    package static func url() throws -> URL {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        // Where a helper program runs the tests, the test bundle is among its arguments.
        let candidates =
            [tests.deletingLastPathComponent()]
            + CommandLine.arguments.map { URL(filePath: $0).deletingLastPathComponent() }
        for candidate in candidates {
            let program = candidate.appending(path: "shadow-alter")
            if FileManager.default.isExecutableFile(atPath: program.path()) { return program }
        }
        throw NotBuilt(
            description:
                "there is no shadow-alter beside \(candidates.map { $0.path() }): run `swift build --build-tests`")
    }

    private struct NotBuilt: Error, CustomStringConvertible { let description: String }
}
