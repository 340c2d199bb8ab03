import CLibPQ
import Glibc
import PgConnection

/// libpq in COPY BOTH mode, without blocking.
struct CopyBothConnection {
    let handle: ConnectionHandle
    let pointer: OpaquePointer
    let command: String

    init(handle: ConnectionHandle, pointer: OpaquePointer, command: String) {
        self.handle = handle
        self.pointer = pointer
        self.command = command
        PQsetnonblocking(pointer, 1)
    }

    enum Read: ~Copyable {
        case message(CopyBuffer)
        /// No whole message has arrived.
        case nothing
        /// The server has ended its side; `ending()` says why.
        case end
    }

    func read() throws -> Read {
        var buffer: UnsafeMutablePointer<CChar>?
        let length = PQgetCopyData(pointer, &buffer, 1)
        switch (length, buffer) {
        case (1..., let buffer?): return .message(CopyBuffer(owning: buffer, count: Int(length)))
        case (0, _): return .nothing
        case (-1, _): return .end
        default: throw handle.lost(command)
        }
    }

    /// Takes in what has arrived.
    func consumeInput() throws {
        // OpenSSL may hold the rest of a TLS record (16 kB at most) that libpq had no room for, and poll() does not know
        // of it. libpq makes room for at least 8 kB each time, so three times empty it.
        for _ in 0..<(PQsslInUse(pointer) != 0 ? 3 : 1) where PQconsumeInput(pointer) == 0 {
            throw lastWords()
        }
    }

    /// What the server said before the connection ended. The stream's messages in front of that are dropped: they are not
    /// confirmed, so they come again.
    private func lastWords() -> any Error {
        let lost = handle.lost(command)
        do {
            while true {
                switch try read() {
                case .message: continue
                case .nothing: return lost
                case .end: return ending()
                }
            }
        } catch {
            return error
        }
    }

    /// Queues a message. Returns false when libpq has no room until more has been sent.
    func send(_ bytes: [UInt8]) throws -> Bool {
        let status = bytes.withUnsafeBytes {
            PQputCopyData(pointer, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
        }
        guard status >= 0 else { throw handle.lost(command) }
        return status == 1
    }

    /// Returns whether something is left to be sent.
    func flush() throws -> Bool {
        let status = PQflush(pointer)
        guard status >= 0 else { throw handle.lost(command) }
        return status == 1
    }

    struct Readiness {
        var hasInput = false
        /// The other side is gone. Reported even when no input is asked for.
        var isHungUp = false
        var isWoken = false
    }

    /// Waits until there is something to do, at most for `timeout` (rounded up to milliseconds).
    func wait(input: Bool, output: Bool, wake: Int32, timeout: Duration) throws -> Readiness {
        var events: Int32 = 0
        if input { events |= POLLIN }
        if output { events |= POLLOUT }
        var descriptors = [
            pollfd(fd: PQsocket(pointer), events: Int16(events), revents: 0),
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = max(0, timeout / .milliseconds(1)).rounded(.up)
        let status = poll(&descriptors, 2, Int32(min(milliseconds, 60_000)))
        guard status >= 0 else {
            if errno == EINTR { return Readiness() }
            throw PgError(
                code: .connectionLost, message: "waiting for the server failed: \(String(cString: strerror(errno)))",
                statement: command)
        }
        let socket = Int32(descriptors[0].revents)
        return Readiness(
            hasInput: socket & POLLIN != 0, isHungUp: socket & (POLLHUP | POLLERR | POLLNVAL) != 0,
            isWoken: descriptors[1].revents != 0)
    }

    /// The error with which the server, or the connection, has ended the stream.
    func ending() -> any Error {
        PQsetnonblocking(pointer, 0)
        do {
            var result = try handle.check(PQgetResult(pointer), statement: command)
            if [PGRES_COPY_IN, PGRES_COPY_BOTH].contains(PQresultStatus(result.pointer)) {
                // An orderly end: the server waits for ours and then says whether there was an error.
                PQputCopyEnd(pointer, nil)
                result = try handle.check(PQgetResult(pointer), statement: command)
            }
            return PgError(
                code: .connectionLost,
                message: "the server has ended the stream (\(result.commandTag)), as it does when it shuts down",
                statement: command)
        } catch {
            return error
        }
    }
}

// MARK: - The orderly end

extension CopyBothConnection {
    /// Sends CopyDone. Returns false when libpq has no room for it.
    func sendEnd() throws -> Bool {
        let status = PQputCopyEnd(pointer, nil)
        guard status >= 0 else { throw handle.lost(command) }
        return status == 1
    }

    /// Takes the results that follow CopyDone from both sides. Returns whether the session can go on.
    func endedOrderly() throws -> Bool {
        PQsetnonblocking(pointer, 0)
        while let result = PQgetResult(pointer) { _ = try handle.check(result, statement: command) }
        return PQtransactionStatus(pointer) == PQTRANS_IDLE
    }
}
