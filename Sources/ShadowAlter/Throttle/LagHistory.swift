import PgOutput

/// Tells from where a standby is in the WAL how far it is behind in time: where the primary was when. Pure.
///
/// `pg_stat_replication.replay_lag` is the time that the last answered position took; of a standby that stands still it says nothing. This does:
/// what it has not replayed gets older.
struct LagHistory: Sendable {
    private struct Sample {
        var end: LSN
        var at: ContinuousClock.Instant
    }

    private var samples: [Sample] = []
    /// A lag that is longer is reported as this long, at least.
    static let reach = Duration.seconds(3600)

    /// Where the primary's WAL ends now.
    mutating func note(_ end: LSN, at now: ContinuousClock.Instant) {
        if samples.last?.end != end { samples.append(Sample(end: end, at: now)) }
        // The newest one stays, however old: an idle primary's standbys are not behind.
        let old = samples.dropLast().prefix { now - $0.at > Self.reach }
        samples.removeFirst(old.count)
    }

    /// Since when there is WAL that the standby has not replayed; zero when it is up to date.
    func lag(replayed: LSN, now: ContinuousClock.Instant) -> Duration {
        guard let missing = samples.first(where: { $0.end > replayed }) else { return .zero }
        return now - missing.at
    }
}
