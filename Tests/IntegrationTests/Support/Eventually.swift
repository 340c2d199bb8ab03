/// What was waited for did not come about.
struct NeverHappened: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until the condition holds. The limit is far beyond what a loaded machine needs; it is not what a test measures.
func eventually(
    _ what: String, within limit: Duration = .seconds(180), _ condition: () async throws -> Bool
) async throws {
    let start = ContinuousClock.now
    let deadline = start + limit
    while true {
        if try await condition() { return }
        let now = ContinuousClock.now
        guard now < deadline else { throw NeverHappened(description: "not within \(limit): \(what)") }
        // Often at first, for what is soon over; what takes longer is not to be slowed down by being looked at.
        try await Task.sleep(for: min(max((now - start) / 40, .milliseconds(5)), .milliseconds(25)))
    }
}
