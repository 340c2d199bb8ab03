/// The workload cannot be started or used as it was asked to.
public struct WorkloadError: Error, Sendable, CustomStringConvertible {
    /// What happened, what state things are in, and what to do next.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
