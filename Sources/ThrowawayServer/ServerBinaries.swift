import FoundationEssentials

/// The programs of one PostgreSQL version: `postgres`, `initdb`, `psql`, `pg_dump`, `createdb`.
public struct ServerBinaries: Sendable, Hashable, Codable, CustomStringConvertible {
    /// 15 for PostgreSQL 15.x.
    public let majorVersion: Int
    /// The absolute path of the directory that holds the programs.
    public let binDirectory: String

    /// Names the programs of one version without looking at them; `ThrowawayServer.start` does.
    public init(majorVersion: Int, binDirectory: String) {
        self.majorVersion = majorVersion
        self.binDirectory = binDirectory
    }

    public var description: String { "PostgreSQL \(majorVersion)" }

    /// The path of one of the programs.
    func path(_ program: String) -> String { "\(binDirectory)/\(program)" }

    /// The versions to work with, oldest first.
    ///
    /// `SHADOW_ALTER_SERVERS` decides if it is set and not empty: `15=/usr/lib/postgresql/15/bin:18=/opt/pg18/bin`, as
    /// `tools/servers --env` prints it. Otherwise Debian's places `/usr/lib/postgresql/<version>/bin` are searched, then
    /// the directories of `PATH` for a version that is not there (asking `postgres --version`).
    ///
    /// - Throws: `ThrowawayServerError` if `SHADOW_ALTER_SERVERS` cannot be understood or names a directory without a
    ///   server: a version that silently goes untested is worse than an error.
    public static func available(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> [ServerBinaries] {
        if let list = environment["SHADOW_ALTER_SERVERS"], !list.isEmpty {
            return try parse(list)
        }
        var found = debianServers()
        for directory in (environment["PATH"] ?? "").split(separator: ":").map(String.init) {
            guard hasServer(directory), let version = await askVersion(directory) else { continue }
            if !found.contains(where: { $0.majorVersion == version }) {
                found.append(ServerBinaries(majorVersion: version, binDirectory: directory))
            }
        }
        return found.sorted { $0.majorVersion < $1.majorVersion }
    }

    /// The programs in one directory, whose version its `postgres` is asked for.
    ///
    /// - Parameter directory: an absolute path.
    /// - Throws: `ThrowawayServerError` if there is no server, or it does not say its version.
    public static func inDirectory(_ directory: String) async throws(ThrowawayServerError) -> ServerBinaries {
        guard hasServer(directory) else {
            throw ThrowawayServerError(
                "\"\(directory)\" is not an absolute path of a directory with the program \"postgres\" in it. No server "
                    + "was started. Give the directory that `tools/servers` prints, such as /usr/lib/postgresql/15/bin."
            )
        }
        guard let version = await askVersion(directory) else {
            throw ThrowawayServerError(
                "\(directory)/postgres does not say which version it is. No server was started. "
                    + "See what `\(directory)/postgres --version` prints.")
        }
        return ServerBinaries(majorVersion: version, binDirectory: directory)
    }

    private static func parse(_ list: String) throws(ThrowawayServerError) -> [ServerBinaries] {
        var servers: [ServerBinaries] = []
        for entry in list.split(separator: ":") {
            let parts = entry.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let version = Int(parts[0]), version > 0, parts[1].hasPrefix("/") else {
                throw ThrowawayServerError(
                    "SHADOW_ALTER_SERVERS holds \"\(entry)\", which is not VERSION=/ABSOLUTE/BIN/DIRECTORY. No server "
                        + "was started. Set it as `tools/servers --env` prints it, or unset it.")
            }
            let directory = String(parts[1])
            guard hasServer(directory) else {
                throw ThrowawayServerError(
                    "SHADOW_ALTER_SERVERS names \(directory) for version \(version), but there is no program "
                        + "\"postgres\" in it. No server was started. Run `tools/servers` to put the servers in place.")
            }
            guard !servers.contains(where: { $0.majorVersion == version }) else {
                throw ThrowawayServerError(
                    "SHADOW_ALTER_SERVERS names version \(version) twice. No server was started. Remove one of them.")
            }
            servers.append(ServerBinaries(majorVersion: version, binDirectory: directory))
        }
        return servers.sorted { $0.majorVersion < $1.majorVersion }
    }

    private static func debianServers() -> [ServerBinaries] {
        let root = "/usr/lib/postgresql"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return names.compactMap { name in
            guard let version = Int(name), hasServer("\(root)/\(name)/bin") else { return nil }
            return ServerBinaries(majorVersion: version, binDirectory: "\(root)/\(name)/bin")
        }
    }

    private static func hasServer(_ directory: String) -> Bool {
        directory.hasPrefix("/") && FileManager.default.isExecutableFile(atPath: "\(directory)/postgres")
    }

    /// The answer reads `postgres (PostgreSQL) 16.14`, `… 18beta1` or `… 16.14 (Debian …)`: the digits
    /// right after the product's name are the major version.
    private static func askVersion(_ directory: String) async -> Int? {
        let command = Command(program: "\(directory)/postgres", arguments: ["--version"])
        guard let answer = try? await command.output(purpose: "asking a server for its version") else { return nil }
        let words = answer.split(separator: " ")
        guard let product = words.firstIndex(of: "(PostgreSQL)"), words.indices.contains(product + 1) else {
            return nil
        }
        return Int(words[product + 1].prefix { $0.isASCII && $0.isNumber })
    }
}
