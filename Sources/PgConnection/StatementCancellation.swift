import CLibPQ
import Glibc

/// Sends cancel requests so that they can only hit the statement that they are meant for.
///
/// A request travels on a connection of its own. One that arrives early, when the statement has not reached the server yet,
/// is ignored there; one that arrives late would end the session's *next* statement. So a request is sent only while a
/// statement is in progress, and a statement's end waits for the request that is under way. (libpq's PQcancel returns
/// after the postmaster's child has signalled the backend, and a signal that finds the backend idle is ignored there:
/// ProcessInterrupts in src/backend/tcop/postgres.c.)
///
/// It also knows since when a statement has been waited for, so that it can be given up when its answer will not come.
final class StatementCancellation: @unchecked Sendable {
    // The mutex guards the variables; the condition says that `isRequesting` has become false, or `isSevered` true.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var started: UInt64 = 0
    private var isInProgress = false
    private var isRequesting = false
    /// When the statement began that the connection's thread waits for, or for whose cancellation it waits; nil: it does neither.
    private var since: ContinuousClock.Instant?
    private var isSevered = false
    private let pointer: OpaquePointer?
    /// libpq's connection, which is not closed while `since` is there.
    private let connection: OpaquePointer

    /// - Parameter connection: libpq's, which this object does not own.
    init(_ connection: OpaquePointer) {
        self.connection = connection
        pointer = PQgetCancel(connection)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        PQfreeCancel(pointer)
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs a call that waits for the server, and lets requests through meanwhile.
    func during<Value>(_ body: () -> Value) -> Value {
        setInProgress(true)
        defer { setInProgress(false) }
        return body()
    }

    private func setInProgress(_ value: Bool) {
        pthread_mutex_lock(mutex)
        isInProgress = value
        if value {
            started += 1
            since = .now
        }
        while isRequesting && !isSevered { pthread_cond_wait(condition, mutex) }
        if !value { since = nil }
        pthread_mutex_unlock(mutex)
    }

    /// The statement that is waited for, and since when; nil when none is.
    var waiting: (statement: UInt64, since: ContinuousClock.Instant)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return since.map { (started, $0) }
    }

    /// Whether the connection was given up.
    var hasBeenSevered: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return isSevered
    }

    /// Ends the connection under the statement that waits for its answer, which then throws `connectionLost`. Without effect when that
    /// statement has ended.
    func sever(_ statement: UInt64) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard since != nil, started == statement else { return false }
        isSevered = true
        let descriptor = PQsocket(connection)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        pthread_cond_broadcast(condition)
        return true
    }

    /// The number of the statement in progress; nil when none is.
    var current: UInt64? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return isInProgress ? started : nil
    }

    /// Sends one request if a statement is in progress that `isMeant` says is meant. Blocks for as long as a new connection
    /// to the server takes.
    func request(_ isMeant: (UInt64) -> Bool) {
        pthread_mutex_lock(mutex)
        let begins = isInProgress && !isRequesting && isMeant(started)
        if begins { isRequesting = true }
        pthread_mutex_unlock(mutex)
        guard begins else { return }
        var buffer = [CChar](repeating: 0, count: 256)
        // When it fails there is nobody to tell: the statement goes on, and so does its caller's wait.
        _ = PQcancel(pointer, &buffer, 256)
        pthread_mutex_lock(mutex)
        isRequesting = false
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
