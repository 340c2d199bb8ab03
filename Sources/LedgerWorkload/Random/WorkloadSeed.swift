import FoundationEssentials

/// The one number that a workload's decisions follow from.
public enum WorkloadSeed {
    /// The environment variable that replays a run.
    public static let variable = "SHADOW_ALTER_SEED"

    /// What `SHADOW_ALTER_SEED` says, decimal or `0x…`; a random number where it is not set.
    ///
    /// Throws `WorkloadError` when it is set to something else: a replay that silently is another run helps nobody.
    public static func choose(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(WorkloadError) -> UInt64 {
        guard let text = environment[variable], !text.isEmpty else { return UInt64.random(in: .min ... .max) }
        let number = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        guard let number else {
            throw WorkloadError(
                "\(variable) is \"\(text)\", which is not a number from 0 to 2^64-1, decimal or 0x… . Nothing was started. "
                    + "Set it to the seed that the run to be replayed has printed, or unset it.")
        }
        return number
    }
}
