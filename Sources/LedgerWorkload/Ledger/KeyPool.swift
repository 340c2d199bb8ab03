/// A set of keys out of which one can be drawn at random, the same one in every run with the same seed (the order of a
/// Swift Set is another one in every process).
struct KeyPool: Sendable {
    private var keys: [Key] = []
    private var positions: [Key: Int] = [:]

    var count: Int { keys.count }

    func contains(_ key: Key) -> Bool { positions[key] != nil }

    mutating func insert(_ key: Key) {
        guard positions[key] == nil else { return }
        positions[key] = keys.count
        keys.append(key)
    }

    mutating func remove(_ key: Key) {
        guard let position = positions.removeValue(forKey: key) else { return }
        let last = keys.removeLast()
        if position < keys.count {
            keys[position] = last
            positions[last] = position
        }
    }

    func draw(_ random: inout SplitMix64) -> Key? { random.choice(keys) }
}
