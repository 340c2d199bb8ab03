/// How much load, and which.
public struct WorkloadSettings: Sendable {
    /// At least 1; each has a connection of its own.
    public var clients: Int
    public var seed: UInt64
    /// Operations per second and client; 0 is as many as possible.
    public var rate: Double
    public var weights: OperationWeights
    /// Shared rows whose counters everybody increments. They are inserted at the start, if the table has a counter.
    public var hotRows: Int
    /// A client that has as many rows as this deletes instead of inserting.
    public var rowsPerClient: Int
    /// Up to so many of the rows that are in the table are given to the clients, to be changed and deleted like their own.
    /// The others are only watched, by a digest each.
    public var adoptedRows: Int
    /// Each client ends after so many operations; nil: when it is stopped.
    public var operationsPerClient: Int?
    /// Keys and unique values are numbered from here: give a second workload on the same table a number above all that the
    /// first one has used (some millions).
    public var firstOrdinal: Int

    public init(
        seed: UInt64, clients: Int = 4, rate: Double = 0, weights: OperationWeights = .mixed, hotRows: Int = 3,
        rowsPerClient: Int = 6000, adoptedRows: Int = 20_000, operationsPerClient: Int? = nil, firstOrdinal: Int = 0
    ) {
        self.seed = seed
        self.clients = max(1, clients)
        self.rate = rate
        self.weights = weights
        self.hotRows = max(0, hotRows)
        self.rowsPerClient = max(1, rowsPerClient)
        self.adoptedRows = max(0, adoptedRows)
        self.operationsPerClient = operationsPerClient
        self.firstOrdinal = max(0, firstOrdinal)
    }
}
