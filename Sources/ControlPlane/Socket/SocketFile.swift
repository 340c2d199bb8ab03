import Glibc

/// The file of a Unix socket.
enum SocketFile {
    enum Kind: Sendable {
        case socket
        case other
    }

    /// Tells a file from another one under the same name.
    struct Identity: Sendable, Equatable {
        var device: UInt64
        var inode: UInt64
    }

    /// nil when there is nothing by this name.
    static func kind(of path: String) -> Kind? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFSOCK ? .socket : .other
    }

    static func identity(of path: String) -> Identity? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Gives a bound socket its mode and then its name.
    ///
    /// - Parameter replacing: the name is a dead socket's. Otherwise it must be free, so that of two that come at once one fails.
    static func publish(_ draft: String, as path: String, replacing: Bool) throws -> Identity {
        guard chmod(draft, 0o600) == 0 else { throw failure("give it the mode 0600", path) }
        guard let identity = identity(of: draft) else { throw failure("find it again", path) }
        if replacing {
            guard rename(draft, path) == 0 else { throw failure("replace the dead socket", path) }
        } else {
            guard link(draft, path) == 0 else { throw failure("give it its name", path) }
            unlink(draft)
        }
        return identity
    }

    private static func failure(_ what: String, _ path: String) -> ControlSocket.Failure {
        ControlSocket.Failure(
            description: "no socket can be made at \(path): could not \(what): \(String(cString: strerror(errno)))")
    }
}
