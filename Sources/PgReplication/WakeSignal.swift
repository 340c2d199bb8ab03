import Glibc
import PgConnection
import Synchronization

/// Wakes a thread that waits in poll(), from any other thread.
final class WakeSignal: Sendable {
    /// What poll() has to wait for.
    let readEnd: Int32
    private let writeEnd: Int32
    private let stops = Atomic(false)

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw PgError(
                code: .connectionFailed,
                message: "no pipe for a replication connection: \(String(cString: strerror(errno))); nothing was tried")
        }
        readEnd = ends[0]
        writeEnd = ends[1]
        for end in ends {
            // Setting flags on a descriptor that has just been made cannot fail.
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    var isStopping: Bool { stops.load(ordering: .acquiring) }

    func wake() {
        var byte: UInt8 = 0
        // A full pipe wakes as well as one byte more would.
        _ = write(writeEnd, &byte, 1)
    }

    func stop() {
        stops.store(true, ordering: .releasing)
        wake()
    }

    /// Takes back what `wake()` has written.
    func drain() {
        var buffer = [UInt8](repeating: 0, count: 256)
        while read(readEnd, &buffer, buffer.count) > 0 {}
    }
}
