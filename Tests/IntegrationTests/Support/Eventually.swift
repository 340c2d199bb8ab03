/// What was waited for did not come about.
struct NeverHappened: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until the condition holds. The limit is far beyond what a loaded machine needs; it is not what a test measures.
func eventually(
    _ what: String, within limit: Duration = .seconds(90), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < deadline else { throw NeverHappened(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
