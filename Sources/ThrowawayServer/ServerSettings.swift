import Glibc

/// The configuration of a throwaway server: what is good for tests, under what the caller asks for.
struct ServerSettings: Sendable {
    private(set) var values: [String: String]

    /// Where a server listens is not the caller's to choose, or `conninfo` would be wrong.
    private static let reserved: Set = [
        "port", "unix_socket_directories", "data_directory", "hba_file", "config_file", "logging_collector",
    ]

    /// Durability is switched off (`fsync`): the directory does not outlive the process. Crash recovery still works,
    /// because the kernel keeps what a killed server has written.
    private static let defaults = [
        "fsync": "off",
        "lc_messages": "C",
        "listen_addresses": "",
        "log_line_prefix": "%m [%p] %q%u@%d %a ",
        "log_timezone": "UTC",
        "max_connections": "200",
        "max_replication_slots": "20",
        "max_wal_senders": "20",
        "timezone": "UTC",
        "wal_level": "logical",
    ]

    init() { values = Self.defaults }

    mutating func merge(_ changes: [String: String]) throws(ThrowawayServerError) {
        for (name, value) in changes {
            guard !Self.reserved.contains(name.lowercased()) else {
                throw ThrowawayServerError(
                    "the setting \"\(name)\" belongs to the throwaway server itself. Nothing was changed. Leave it out."
                )
            }
            guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_.".contains($0)) })
            else {
                throw ThrowawayServerError("\"\(name)\" is not the name of a server setting. Nothing was changed.")
            }
            values[name.lowercased()] = value
        }
    }

    /// The text of a configuration file. In a quoted value a quote is doubled and backslashes escape
    /// (src/backend/utils/misc/guc-file.l).
    func text(port: Int, socketDirectory: String) -> String {
        var all = values
        all["port"] = String(port)
        all["unix_socket_directories"] = socketDirectory
        return all.sorted { $0.key < $1.key }.map { name, value in
            "\(name) = '\(value.replacing("\\", with: "\\\\").replacing("'", with: "''"))'\n"
        }.joined()
    }

    /// A TCP port that nobody listens on now. On a Unix socket it is only part of a file name, but it also keeps a
    /// client that forgot the host away from a server at the usual 5432.
    static func freePort() throws(ThrowawayServerError) -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else {
            throw ThrowawayServerError("cannot open a socket to find a free port: \(systemMessage()).")
        }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && getsockname(socket, generic, &length) == 0
            }
        }
        guard found else { throw ThrowawayServerError("cannot find a free port on 127.0.0.1: \(systemMessage()).") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
