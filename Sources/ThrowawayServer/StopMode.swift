import Glibc

/// How a server is told to stop; the names are pg_ctl's.
public enum StopMode: Sendable, CaseIterable {
    /// Waits for every client to leave.
    case smart
    /// Ends the clients' sessions, writes a checkpoint. Waits until replication clients have received everything.
    case fast
    /// Ends at once and without a checkpoint: the next start is a crash recovery.
    case immediate

    /// The signal that means this to a postmaster (src/backend/postmaster/postmaster.c).
    var signal: Int32 {
        switch self {
        case .smart: SIGTERM
        case .fast: SIGINT
        case .immediate: SIGQUIT
        }
    }
}
