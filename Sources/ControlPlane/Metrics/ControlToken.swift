import Glibc

/// What whoever steers over HTTP has to know. Made anew by every run, and nowhere but in this process and in its file.
struct ControlToken: Sendable, Equatable {
    /// 64 hexadecimal digits.
    let text: String

    /// 32 bytes from the operating system.
    static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef")
        let text = (0..<32).map { _ in
            let byte = Int(UInt8.random(in: 0 ... .max, using: &generator))
            return String([digits[byte >> 4], digits[byte & 15]])
        }
        return Self(text: text.joined())
    }

    /// Takes the same time wherever the first difference is.
    func matches(_ other: some StringProtocol) -> Bool {
        let (mine, theirs) = (Array(text.utf8), Array(other.utf8))
        guard mine.count == theirs.count else { return false }
        return zip(mine, theirs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// The token's file, which its owner alone may read.
struct ControlTokenFile: Sendable {
    let path: String

    /// Replaces what an earlier run has left there. The name comes last, so that nobody reads half of it, and a link of somebody else's by this name is
    /// replaced and not followed.
    static func write(_ token: ControlToken, to path: String) throws(MetricsServer.Failure) -> Self {
        func failure(_ what: String) -> MetricsServer.Failure {
            MetricsServer.Failure(
                description:
                    "the token cannot be written to \(path): could not \(what): \(String(cString: strerror(errno)))")
        }
        let draft = "\(path).\(getpid())"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("create \(draft)") }
        let bytes = Array((token.text + "\n").utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        guard Glibc.close(descriptor) == 0, written == bytes.count else {
            let error = failure("write \(draft)")
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            let error = failure("rename \(draft)")
            unlink(draft)
            throw error
        }
        return Self(path: path)
    }

    func remove() { unlink(path) }
}
