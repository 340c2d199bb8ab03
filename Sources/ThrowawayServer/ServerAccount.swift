import Glibc

/// The account that initdb and the postmaster run under.
///
/// PostgreSQL refuses to run as root (`check_root` in src/backend/main/main.c), so a process that is root hands the
/// server to an unprivileged account; everybody else runs it as themselves.
enum ServerAccount: Sendable {
    case currentUser
    case other(name: String, user: uid_t, group: gid_t)

    /// `postgres` if that account exists (Debian's package creates it), else `nobody`.
    static func suitable() throws(ThrowawayServerError) -> ServerAccount {
        guard geteuid() == 0 else { return .currentUser }
        for name in ["postgres", "nobody"] {
            if let account = lookUp(name), account.user != 0 {
                return .other(name: name, user: account.user, group: account.group)
            }
        }
        throw ThrowawayServerError(
            "cannot start a PostgreSQL server as root: neither the account \"postgres\" nor \"nobody\" exists. "
                + "Nothing was started. Run this as an ordinary user, or create one of these accounts.")
    }

    /// Gives a file or directory, which this process has just created, to the account.
    func takeOver(_ path: String) throws(ThrowawayServerError) {
        guard case .other(let name, let user, let group) = self else { return }
        guard chown(path, user, group) == 0 else {
            throw ThrowawayServerError(
                "cannot give \(path) to the account \"\(name)\": \(systemMessage()). No server was started. "
                    + "Check that the file system of this directory supports ownership.")
        }
    }

    /// What to put in front of a command line so that it runs under this account. setpriv is in util-linux, which
    /// every Debian has.
    ///
    /// Subprocess's own `userID` must not be used: it calls glibc's setuid in the child of a bare clone(2), where
    /// glibc waits for the answer of threads that exist only in the parent, and so for ever (swift-subprocess 1.0.2).
    var prefix: [String] {
        switch self {
        case .currentUser: []
        case .other(_, let user, let group):
            ["setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--"]
        }
    }

    private static func lookUp(_ name: String) -> (user: uid_t, group: gid_t)? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
            guard let start = buffer.baseAddress,
                getpwnam_r(name, &entry, start, buffer.count, &found) == 0, found != nil
            else {
                return nil
            }
            return (entry.pw_uid, entry.pw_gid)
        }
    }
}

/// What `errno` says right now, in words.
func systemMessage() -> String {
    String(cString: strerror(errno))
}
