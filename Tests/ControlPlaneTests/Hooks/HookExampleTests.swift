import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

@Suite("The examples of hooks", .timeLimit(.minutes(1))) struct HookExampleTests {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Docs/examples/hooks").path

    /// They are hooks: their names mean events, and they are executable.
    @Test func theyAreInOrder() throws {
        let names = try HookDirectory.read(Self.directory).files.map(\.name)
        #expect(
            names == [
                "on-success-10-chat", "on-success-20-alembic", "on-success-20-django", "on-success-20-flyway",
                "on-success-20-rails",
            ])
    }

    @Test func theChatIsToldWhateverTheTextIs() async throws {
        let listener = try OneRequestListener()
        let request = Task.detached { listener.serve() }
        let error = "it's \"bad\" \\ data:\n\tTAB $HOME `id` äöü \u{1}\u{7f}"
        let environment = [
            "SHADOW_ALTER_EVENT": "failure", "SHADOW_ALTER_NAME": "orders", "SHADOW_ALTER_DATABASE": "shop",
            "SHADOW_ALTER_ERROR_CODE": "bad-data", "SHADOW_ALTER_ERROR": error, "SHADOW_ALTER_ERROR_ADVICE": "",
            "CHAT_WEBHOOK": "http://127.0.0.1:\(listener.port)/services/secret", "no_proxy": "*",
        ]
        let (ending, last) = await HookProcess(
            path: Self.directory + "/on-success-10-chat", environment: environment, input: [],
            timeLimit: .seconds(30)
        ).run { _ in }
        #expect(ending == .exited(0), "\(last ?? "")")
        let seen = await request.value
        #expect(seen.hasPrefix("POST /services/secret HTTP/1.1\r\n"), "\(seen)")
        #expect(seen.contains("Content-Type: application/json\r\n"))
        let body = try #require(seen.split(separator: "\r\n\r\n", maxSplits: 1).last)
        let message = try JSONDecoder().decode([String: String].self, from: Data(body.utf8))
        let text = "orders in shop: the run failed (bad-data): it's \"bad\" \\ data:\n TAB $HOME `id` äöü "
        #expect(message["text"]?.hasPrefix(text) == true, "\(message)")
    }

    /// Runs an example with a program of that name instead of the real one.
    private func run(
        _ example: String, with program: String, _ body: String, _ environment: [String: String]
    ) async throws -> (code: HookProcess.Ending, lines: [String]) {
        let directory = ScratchDirectory()
        try directory.write(program, "#!/bin/sh\n\(body)\n", mode: 0o755)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let own = [
            "PATH": "\(directory.path):\(path)", "ALEMBIC_DIRECTORY": directory.path,
            "DJANGO_DIRECTORY": directory.path,
            "PYTHON": "/bin/sh",
        ]
        let lines = Mutex<[String]>([])
        let (ending, _) = await HookProcess(
            path: Self.directory + "/" + example, environment: environment.merging(own) { $1 }, input: [],
            timeLimit: .seconds(30)
        ).run { line in lines.withLock { $0.append(line) } }
        directory.remove()
        return (ending, lines.withLock { $0 })
    }

    /// Alembic's answers as it gives them.
    @Test(arguments: [
        ("aaa111", 0, "ran stamp bbb222"), ("bbb222 (head)", 0, "it is stamped already"),
        ("bbb2222", 1, "the database is at 'bbb2222' and not at aaa111: nothing is stamped"),
        ("", 1, "the database is at '' and not at aaa111: nothing is stamped"),
    ])
    func alembicIsStampedFromTheRevisionBefore(_ current: String, _ code: Int32, _ last: String) async throws {
        let answer = try await run(
            "on-success-20-alembic", with: "alembic",
            "case $1 in current) echo '\(current)' ;; *) echo \"ran $*\" ;; esac",
            ["ALEMBIC_REVISION": "bbb222", "ALEMBIC_DOWN_REVISION": "aaa111"])
        #expect(answer.code == .exited(code))
        #expect(answer.lines.last == last)
    }

    /// Django's plan as it shows it.
    @Test(arguments: [
        (
            "[X]  shop.0001_a\n[ ]  shop.0002_b\n[ ]  shop.0003_c", 0,
            "ran migrate --database default --fake shop 0002_b"
        ),
        ("[X]  shop.0001_a\n[X]  shop.0002_b\n[ ]  shop.0003_c", 0, "it is marked already"),
        (
            "[ ]  shop.0001_a\n[ ]  shop.0002_b", 1,
            "it is not the next migration, that is '[ ]  shop.0001_a': nothing is marked"
        ),
        (
            "[X]  shop.0001_a\n[ ]  shop.0002_bb", 1,
            "it is not the next migration, that is '[ ]  shop.0002_bb': nothing is marked"
        ),
    ])
    func djangoIsFakedWhenItIsTheNext(_ plan: String, _ code: Int32, _ last: String) async throws {
        let answer = try await run(
            "on-success-20-django", with: "manage.py",
            "case $1 in showmigrations) printf '%s\\n' '\(plan)' ;; *) echo \"ran $*\" ;; esac",
            ["DJANGO_APP": "shop", "DJANGO_MIGRATION": "0002_b"])
        #expect(answer.code == .exited(code))
        #expect(answer.lines.last == last)
    }

    @Test func aChatThatSaysNoIsAFailure() async throws {
        let listener = try OneRequestListener(
            answer: "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        let request = Task.detached { listener.serve() }
        let environment = [
            "SHADOW_ALTER_EVENT": "ready", "SHADOW_ALTER_NAME": "orders", "SHADOW_ALTER_DATABASE": "shop",
            "CHAT_WEBHOOK": "http://127.0.0.1:\(listener.port)/", "no_proxy": "*",
        ]
        let (ending, last) = await HookProcess(
            path: Self.directory + "/on-success-10-chat", environment: environment, input: [],
            timeLimit: .seconds(30)
        ).run { _ in }
        _ = await request.value
        #expect(!ending.isSuccess)
        #expect(last?.contains("500") == true, "\(last ?? "")")
    }
}

/// Takes one HTTP request on loopback.
private final class OneRequestListener: Sendable {
    private let descriptor: Int32
    private let answer: String
    let port: UInt16

    init(answer: String = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok") throws {
        self.answer = answer
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw RawClient.Failure(code: errno) }
        port = UInt16(bigEndian: address.sin_port)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Returns the request when its body is complete.
    func serve() -> String {
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else { return "nobody came" }
        defer { close(client) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !Self.isComplete(String(decoding: bytes, as: UTF8.self)) {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        _ = answer.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isComplete(_ request: String) -> Bool {
        let parts = request.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        let length = parts[0].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        return length.flatMap { Int($0.dropFirst(16)) } == parts[1].utf8.count
    }
}
