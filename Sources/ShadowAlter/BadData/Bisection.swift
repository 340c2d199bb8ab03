/// Finds out which of many things fail, by trying them together and then by halves. Pure but for the trial.
enum Bisection {
    struct Failing<Item: Sendable, Failure: Sendable>: Sendable {
        var item: Item
        var failure: Failure
    }

    /// Those that fail when they are tried alone, in their order; at most `limit`.
    ///
    /// - Parameter trial: nil when all of the items together do not fail.
    static func failing<Item: Sendable, Failure: Sendable>(
        _ items: [Item], limit: Int, trial: ([Item]) async throws -> Failure?
    ) async throws -> [Failing<Item, Failure>] {
        var found: [Failing<Item, Failure>] = []
        var parts = items.isEmpty ? [] : [items[...]]
        while let part = parts.popLast(), found.count < limit {
            guard let failure = try await trial(Array(part)) else { continue }
            if part.count == 1, let item = part.first {
                found.append(Failing(item: item, failure: failure))
                continue
            }
            let middle = part.startIndex + part.count / 2
            parts.append(part[middle...])
            parts.append(part[..<middle])
        }
        return found
    }
}
