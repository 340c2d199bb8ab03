import Testing
import ThrowawayServer

@Suite("Finding the servers to test with")
struct ServerBinariesTests {
    @Test("the list in the environment decides, in the order of the versions")
    func environmentList() async throws {
        let known = try await ServerBinaries.available()
        let first = try #require(known.first)
        let list = "99=\(first.binDirectory):7=\(first.binDirectory)"
        let found = try await ServerBinaries.available(environment: ["SHADOW_ALTER_SERVERS": list])
        #expect(found.map(\.majorVersion) == [7, 99])
        #expect(found.map(\.binDirectory) == [first.binDirectory, first.binDirectory])
    }

    @Test(
        "a list that cannot be used is an error, not a version that goes untested",
        arguments: [
            ("15", "VERSION="), ("x=/usr", "VERSION="), ("-1=/usr", "VERSION="), ("15=usr/bin", "VERSION="),
            ("15=/nonexistent", "no program \"postgres\""),
        ])
    func badList(list: String, complaint: String) async throws {
        let error = try await #require(throws: ThrowawayServerError.self) {
            try await ServerBinaries.available(environment: ["SHADOW_ALTER_SERVERS": list])
        }
        #expect(error.description.contains(complaint))
        #expect(error.description.contains("No server was started"))
    }

    @Test("a version that is named twice is an error")
    func duplicate() async throws {
        let first = try #require(try await ServerBinaries.available().first)
        let list = "15=\(first.binDirectory):15=\(first.binDirectory)"
        await #expect(throws: ThrowawayServerError.self) {
            try await ServerBinaries.available(environment: ["SHADOW_ALTER_SERVERS": list])
        }
    }

    @Test("without a list, the servers in PATH are asked for their version", arguments: try await Servers.all())
    func searchPath(_ binaries: ServerBinaries) async throws {
        let found = try await ServerBinaries.available(environment: ["PATH": "/nonexistent:\(binaries.binDirectory)"])
        #expect(found.contains { $0.majorVersion == binaries.majorVersion })
        #expect(found.map(\.majorVersion) == found.map(\.majorVersion).sorted())
    }

    @Test("a directory's own server says which version it is", arguments: try await Servers.all())
    func inDirectory(_ binaries: ServerBinaries) async throws {
        #expect(try await ServerBinaries.inDirectory(binaries.binDirectory) == binaries)
    }

    @Test("a directory without a server is an error", arguments: ["/nonexistent", "/usr", "usr/bin", ""])
    func notInDirectory(directory: String) async throws {
        let error = try await #require(throws: ThrowawayServerError.self) {
            try await ServerBinaries.inDirectory(directory)
        }
        #expect(error.description.contains("\"\(directory)\""))
        #expect(error.description.contains("No server was started"))
    }
}
