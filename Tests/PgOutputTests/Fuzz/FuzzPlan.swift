import FoundationEssentials
import Testing

/// How long to fuzz, and from which seed; see tools/fuzz.
struct FuzzPlan {
    let seed: UInt64
    private let iterations: Int
    private let deadline: ContinuousClock.Instant?

    /// Reads `SHADOW_ALTER_SEED` (a whole number, decimal or 0x…; a fresh one if it is not set) and
    /// `SHADOW_ALTER_FUZZ_SECONDS` (run so long; if it is not set, a fixed number of iterations).
    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        if let text = environment["SHADOW_ALTER_SEED"] {
            let parsed = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
            seed = try #require(parsed, "SHADOW_ALTER_SEED is not a whole number: \(text)")
        } else {
            seed = .random(in: .min ... .max)
        }
        if let text = environment["SHADOW_ALTER_FUZZ_SECONDS"] {
            let seconds = try #require(Int(text), "SHADOW_ALTER_FUZZ_SECONDS is not a whole number: \(text)")
            deadline = .now + .seconds(seconds)
        } else {
            deadline = nil
        }
        iterations = 5_000
    }

    /// Whether to go on after so many iterations.
    func goesOn(after done: Int) -> Bool {
        guard let deadline else { return done < iterations }
        // To look at the clock each time would cost more than to decode a message.
        return done % 256 != 0 || .now < deadline
    }
}
