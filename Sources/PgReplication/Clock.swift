import Glibc

enum Clock {
    /// PostgreSQL's epoch, 2000-01-01, in seconds since Unix's (POSTGRES_EPOCH_JDATE in src/include/datatype/timestamp.h).
    private static let postgresEpoch: Int64 = 946_684_800

    /// Microseconds since 2000-01-01 00:00 UTC.
    static var postgresTime: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (Int64(time.tv_sec) - postgresEpoch) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
