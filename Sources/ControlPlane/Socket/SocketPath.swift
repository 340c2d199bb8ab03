import FoundationEssentials
import Glibc

/// Where a migration's control socket is.
public enum SocketPath {
    /// In bytes; Linux allows 108 with the closing zero.
    static let maximumLength = 107

    /// Left for the name that a socket has while it is being made.
    private static let reserve = 8

    /// In `XDG_RUNTIME_DIR`, which is the user's own, otherwise in `/tmp`. The same for every run of the migration.
    ///
    /// - Parameter server: tells databases of the same name apart, where the name alone is another run's; nil: the name alone.
    public static func standard(
        database: String, migration: String, server: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        let directory = environment["XDG_RUNTIME_DIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        let suffix = server.map { ".\(checksum($0))" } ?? ""
        let name = "\(plain(database)).\(plain(migration))\(suffix)"
        let path = "\(directory)/shadow-alter.\(name).sock"
        guard path.utf8.count > maximumLength - reserve else { return path }
        return "/tmp/shadow-alter.\(checksum("\(database).\(migration)\(suffix)")).sock"
    }

    /// Without what a path or a shell could take for something else.
    private static func plain(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
                    || byte == 45
            }
        return isPlain ? text : checksum(text)
    }

    /// FNV-1a, 64 bits.
    private static func checksum(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
