/// A generator of 64-bit numbers after Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
///
/// Small, fast, and the same on every machine and in every Swift version, which the system's generator is not: a seed
/// printed by a failed test replays the same decisions anywhere.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    public private(set) var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// A bijection of 64-bit numbers: different inputs never give the same output.
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A generator that has nothing to do with this one's further numbers.
    mutating func split() -> SplitMix64 {
        SplitMix64(seed: next() ^ 0xA076_1D64_78BD_642F)
    }

    // The standard library does not promise how its own methods turn numbers into ranges and choices, so these are ours.

    /// A number from the range. The bias is below 2⁻³² for ranges shorter than 2³².
    mutating func number(_ range: ClosedRange<Int>) -> Int {
        let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) &+ 1
        guard width != 0 else { return Int(truncatingIfNeeded: next()) }
        return range.lowerBound &+ Int(truncatingIfNeeded: next().multipliedFullWidth(by: width).high)
    }

    /// True in `percent` of 100 cases.
    mutating func chance(_ percent: Int) -> Bool {
        number(0...99) < percent
    }

    /// One of the elements; nil when there is none.
    mutating func choice<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[number(0...(elements.count - 1))]
    }
}
