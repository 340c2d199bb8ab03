import LedgerWorkload
import PgConnection
import ThrowawayServer

/// What a demonstration is made of.
struct DemoSettings: Sendable {
    /// The programs of the private server.
    let binaries: ServerBinaries
    /// In the table before the load begins; 1 to 100 million.
    let rows: Int
    /// Each with a connection of its own.
    let clients: Int
    /// Operations a second, of all clients together.
    let rate: Int
    let seed: UInt64

    /// How long the load is watched without a migration, before it and again after it.
    static let quietTime = Duration.seconds(5)

    var workload: WorkloadSettings {
        WorkloadSettings(
            seed: seed, clients: clients, rate: Double(rate) / Double(clients), weights: .everyday)
    }
}
