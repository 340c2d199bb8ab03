import FoundationEssentials
import Synchronization

/// A private PostgreSQL server: its own directory, its own Unix socket, nothing shared with any other.
///
/// It ends, and its directory goes, with `stop()`, with the last reference to this object, or with this process,
/// whatever ends that (`kill -9` too). The superuser is `postgres`, everybody is trusted, the encoding is UTF-8, the
/// locale C.UTF-8. Without other settings it listens on its socket only, has `wal_level = logical` and room for 20
/// replication slots and senders and 200 connections, and does not `fsync`.
public final class ThrowawayServer: Sendable {
    /// The programs that it was started with.
    public let binaries: ServerBinaries
    /// The private directory: `data` and `server.log` are in it. At most 107 bytes long, socket name included.
    public let directory: String
    /// The port, 1024 to 65535: part of the socket's name, and the TCP port if `listen_addresses` was given.
    public let port: Int

    private let account: ServerAccount
    private let lifeline: Lifeline
    private let state: Mutex<State>

    private struct State {
        var settings: ServerSettings
        var phase: Phase
    }

    private enum Phase {
        case stopped
        /// Between two phases: somebody is starting or stopping it, nobody else may.
        case changing
        case running(Postmaster)
        case removed
    }

    /// 15 for PostgreSQL 15.x.
    public var version: Int { binaries.majorVersion }
    /// The directory to give to libpq as `host`.
    public var socketDirectory: String { directory }
    /// Where PostgreSQL keeps its files.
    public var dataDirectory: String { "\(directory)/data" }

    /// The process number of the postmaster; nil while the server is stopped, or when it has died.
    public var pid: Int32? {
        state.withLock { state in
            guard case .running(let postmaster) = state.phase, postmaster.termination == nil else { return nil }
            return postmaster.pid
        }
    }

    /// The server's log since its first start.
    ///
    /// - Throws: `ThrowawayServerError` when the directory is gone.
    public var log: String {
        get throws {
            guard let data = FileManager.default.contents(atPath: "\(directory)/server.log") else {
                throw ThrowawayServerError("\(self) has no log: its directory is gone.")
            }
            return String(decoding: data, as: UTF8.self)
        }
    }

    private init(
        binaries: ServerBinaries, directory: String, port: Int, account: ServerAccount, lifeline: Lifeline,
        settings: ServerSettings
    ) {
        self.binaries = binaries
        self.directory = directory
        self.port = port
        self.account = account
        self.lifeline = lifeline
        self.state = Mutex(State(settings: settings, phase: .stopped))
    }

    /// Creates and starts a server.
    ///
    /// - Parameters:
    ///   - settings: of postgresql.conf, by name, unquoted. `listen_addresses` may be `127.0.0.1`; ports and
    ///     directories cannot be set.
    ///   - timeout: how long the server may take until it accepts connections.
    /// - Throws: `ThrowawayServerError`, with the server's log, if it does not start; nothing is left then.
    public static func start(
        _ binaries: ServerBinaries, settings: [String: String] = [:], timeout: Duration = .seconds(60)
    ) async throws -> ThrowawayServer {
        try await start(binaries, settings: settings, timeout: timeout) { directory, account in
            try await TemplateDirectory.shared.copy(for: binaries, to: directory, account: account)
        }
    }

    /// Creates and starts a physical standby of this server, which streams from it and can be read.
    ///
    /// - Parameters:
    ///   - name: its `application_name` in the primary's `pg_stat_replication`.
    ///   - settings: of its own.
    /// - Throws: `ThrowawayServerError`; nothing is left then.
    public func startStandby(
        _ name: String, settings: [String: String] = [:], timeout: Duration = .seconds(60)
    ) async throws -> ThrowawayServer {
        let connection = ["primary_conninfo": "\(conninfo()) application_name=\(name)"]
        let settings = settings.merging(connection) { $1 }
        return try await Self.start(binaries, settings: settings, timeout: timeout) { [self] directory, account in
            try await Command(
                program: binaries.path("pg_basebackup"),
                arguments: [
                    "--pgdata=\(directory)/data", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
                    "--dbname=\(conninfo())",
                ],
                account: account
            ).output(purpose: "copying \(self) for a standby")
            try await Command(
                program: "/usr/bin/touch", arguments: ["\(directory)/data/standby.signal"], account: account
            ).output(purpose: "making the copy of \(self) a standby")
        }
    }

    /// - Parameter fill: creates `<directory>/data`.
    private static func start(
        _ binaries: ServerBinaries, settings: [String: String], timeout: Duration,
        fill: (_ directory: String, _ account: ServerAccount) async throws -> Void
    ) async throws -> ThrowawayServer {
        var allSettings = ServerSettings()
        try allSettings.merge(settings)
        let account = try ServerAccount.suitable()
        let directory = try PrivateDirectory.create("shadow-alter", account: account)
        let lifeline = try await Lifeline(directory: directory, account: account)
        let server = ThrowawayServer(
            binaries: binaries, directory: directory, port: try ServerSettings.freePort(), account: account,
            lifeline: lifeline, settings: allSettings)
        do {
            try await fill(directory, account)
            try await server.launch(timeout: timeout)
        } catch {
            try? await lifeline.cut()
            throw error
        }
        return server
    }

    /// Stops the server and removes its directory.
    ///
    /// A server that has died by itself, or is stopped already, is only removed.
    ///
    /// - Parameters:
    ///   - keepData: keep the directory until `restart`, a further `stop`, or the end of this object.
    ///   - timeout: how long it may take; `smart` waits for clients, `fast` for replication clients.
    /// - Throws: `ThrowawayServerError` if it still runs after that time (it goes on running, or stopping).
    public func stop(_ mode: StopMode = .fast, keepData: Bool = false, timeout: Duration = .seconds(60)) async throws {
        try await halt(mode, timeout: timeout, then: keepData ? .stopped : .removed)
        if !keepData { try await lifeline.cut() }
    }

    /// Stops the server, unless it is stopped already, and starts it again on the same data, directory and port.
    ///
    /// - Parameter settings: are added to the present ones.
    /// - Throws: `ThrowawayServerError` with the log; the server is stopped then and can be restarted.
    public func restart(
        mode: StopMode = .fast, settings: [String: String] = [:], timeout: Duration = .seconds(60)
    ) async throws {
        try state.withLock { state throws(ThrowawayServerError) in try state.settings.merge(settings) }
        try await halt(mode, timeout: timeout, then: .stopped)
        try await launch(timeout: timeout)
    }
}

extension ThrowawayServer: CustomStringConvertible {
    public var description: String { "the throwaway server \(directory) (\(binaries))" }
}

// MARK: - The two transitions

extension ThrowawayServer {
    /// Claims the right to change the phase, so that two tasks cannot start or stop the server at once.
    private func beginChange() throws(ThrowawayServerError) -> Postmaster? {
        try state.withLock { state throws(ThrowawayServerError) in
            switch state.phase {
            case .stopped:
                state.phase = .changing
                return nil
            case .running(let postmaster):
                state.phase = .changing
                return postmaster
            case .changing:
                throw ThrowawayServerError(
                    "\(self) is being started or stopped by another task. Nothing was changed. Wait for that first.")
            case .removed:
                throw ThrowawayServerError("\(self) has been removed. Nothing was changed. Start a new one.")
            }
        }
    }

    private func endChange(_ phase: Phase) {
        state.withLock { $0.phase = phase }
    }

    private func launch(timeout: Duration) async throws {
        _ = try beginChange()
        do {
            try writeConfiguration()
            let postmaster = try await Postmaster.launch(binaries, in: directory, account: account)
            let directory = directory
            let answered = await postmaster.wait(atMost: timeout) {
                $0.termination != nil || ["ready", "standby"].contains($0.condition(in: directory))
            }
            if let status = postmaster.termination {
                throw ThrowawayServerError("\(self) ended with \(status) instead of starting.", evidence: logTail())
            }
            guard answered else {
                postmaster.send(StopMode.immediate.signal)
                _ = await postmaster.wait(atMost: .seconds(10)) { $0.termination != nil }
                throw ThrowawayServerError("\(self) was not ready after \(timeout); stopped.", evidence: logTail())
            }
            endChange(.running(postmaster))
        } catch {
            endChange(.stopped)
            throw error
        }
    }

    private func halt(_ mode: StopMode, timeout: Duration, then next: Phase) async throws {
        guard let postmaster = try beginChange() else { return endChange(next) }
        postmaster.send(mode.signal)
        guard await postmaster.wait(atMost: timeout, until: { $0.termination != nil }) else {
            endChange(.running(postmaster))
            throw ThrowawayServerError(
                "\(self) still runs \(timeout) after it was told to stop (\(mode)). Close its clients, or stop it with "
                    + ".immediate.", evidence: logTail())
        }
        endChange(next)
    }

    /// A file of its own, included by initdb's: `ALTER SYSTEM` and `pg_reload_conf()` then work as everywhere.
    private func writeConfiguration() throws(ThrowawayServerError) {
        let text = state.withLock { $0.settings.text(port: port, socketDirectory: socketDirectory) }
        let file = "\(dataDirectory)/throwaway.conf"
        let main = "\(dataDirectory)/postgresql.conf"
        let include = "include = 'throwaway.conf'\n"
        guard var contents = FileManager.default.contents(atPath: main) else {
            throw ThrowawayServerError("\(self) has lost its postgresql.conf. It is stopped. Start a new one.")
        }
        contents.append(contentsOf: include.utf8)
        let known = String(decoding: contents, as: UTF8.self).contains("\n" + include + include)
        for (path, data) in known ? [(file, Data(text.utf8))] : [(file, Data(text.utf8)), (main, contents)] {
            do {
                try data.write(to: URL(filePath: path))
            } catch {
                throw ThrowawayServerError("cannot write \(path): \(error). \(self) is stopped. Is the disk full?")
            }
        }
    }

    private func logTail() -> String {
        ((try? log) ?? "").split(separator: "\n").suffix(40).joined(separator: "\n")
    }
}
