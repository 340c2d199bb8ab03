/// Damage, as a broken wire or a hostile peer would do it.
extension SeededGenerator {
    mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            mutateOnce(&bytes)
        }
        return bytes
    }

    private mutating func mutateOnce(_ bytes: inout [UInt8]) {
        guard let index = bytes.indices.randomElement(using: &self) else {
            bytes = self.bytes()
            return
        }
        switch Int.random(in: 0..<9, using: &self) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 1: bytes[index] = integer()
        case 2: bytes[index] &+= chance(2) ? 1 : .max
        case 3: bytes.removeSubrange(index...)
        case 4: bytes.remove(at: index)
        case 5: bytes.insert(integer(), at: index)
        case 6: overwrite(&bytes, at: index, with: integer() as Int32)
        case 7: overwrite(&bytes, at: index, with: integer() as Int16)
        default:
            // A part of the message once more, in another place.
            let end = Int.random(in: index...bytes.count, using: &self)
            bytes.insert(contentsOf: bytes[index..<end], at: Int.random(in: 0...bytes.count, using: &self))
        }
    }

    /// Lengths and counts at their limits, wherever they happen to fall.
    private mutating func overwrite(_ bytes: inout [UInt8], at index: Int, with integer: some FixedWidthInteger) {
        let replacement = withUnsafeBytes(of: integer.bigEndian) { [UInt8]($0) }
        bytes.replaceSubrange(index..<min(index + replacement.count, bytes.count), with: replacement)
    }
}
