import FoundationEssentials
import Glibc

/// Creates directories that only the server's account can enter.
enum PrivateDirectory {
    /// `sockaddr_un.sun_path` holds 108 bytes with its final NUL (man 7 unix); PostgreSQL refuses longer names.
    private static let longestSocketPath = 107
    private static let longestSocketName = "/.s.PGSQL.65535"
    /// What mkdtemp (man 3) replaces.
    private static let placeholder = String(repeating: "X", count: 6)

    /// Creates `<temporary directory>/<label>-` with six more characters, mode 0700, owned by the account.
    static func create(_ label: String, account: ServerAccount) throws(ThrowawayServerError) -> String {
        let parent = temporaryDirectory(label: label, account: account)
        var template = Array("\(parent)/\(label)-\(placeholder)".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ThrowawayServerError(
                "cannot create a directory in \(parent): \(systemMessage()). No server was started. Free some space "
                    + "there, or set TMPDIR to a directory that can be written to.")
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            try account.takeOver(path)
        } catch {
            rmdir(path)
            throw error
        }
        return path
    }

    /// TMPDIR if it is of use, else /tmp. The path must leave room for the socket's name, and an account that is not
    /// ours must be able to reach it and to remove its directory from it at the end.
    private static func temporaryDirectory(label: String, account: ServerAccount) -> String {
        guard let wanted = ProcessInfo.processInfo.environment["TMPDIR"], let path = resolved(wanted) else {
            return resolved("/tmp") ?? "/tmp"
        }
        let length = path.utf8.count + "/\(label)-\(placeholder)".utf8.count + longestSocketName.utf8.count
        guard length <= longestSocketPath, isUsable(path, by: account) else { return resolved("/tmp") ?? "/tmp" }
        return path
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func isUsable(_ path: String, by account: ServerAccount) -> Bool {
        guard case .other = account else { return access(path, W_OK | X_OK) == 0 }
        guard let mode = mode(path), mode & S_IWOTH != 0 else { return false }
        var ancestor = path[...]
        while let slash = ancestor.lastIndex(of: "/") {
            guard let mode = self.mode(String(ancestor)), mode & S_IXOTH != 0 else { return false }
            ancestor = ancestor[..<slash]
            if ancestor.isEmpty { break }
        }
        return true
    }

    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }
}
