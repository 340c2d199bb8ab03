/// The rows that were in the table before the load began and that no client touches: a digest each, whatever their size.
///
/// About 30 bytes and the key's text for each row, in three blocks of memory.
struct InitialRows: Sendable {
    private var keys: [UInt8] = []
    private var ends: [UInt32] = []
    private var digests: [MD5Digest] = []

    var count: Int { ends.count }

    /// Keys must come in ascending order (collation "C"). Throws `WorkloadError` otherwise, or when there is no room for more.
    mutating func append(_ key: Key, _ digest: MD5Digest) throws(WorkloadError) {
        if count > 0, !bytes(at: count - 1).lexicographicallyPrecedes(key.text.utf8) {
            throw WorkloadError(
                "the key \(key) follows \(self.key(at: count - 1)) in the table: the key's columns do not identify a row, "
                    + "or their canonical text does not. Nothing was started. Name the right columns.")
        }
        keys.append(contentsOf: key.text.utf8)
        guard let end = UInt32(exactly: keys.count) else {
            throw WorkloadError(
                "the keys of the table's \(count) first rows take 4 GB. Nothing was started. Use a smaller table.")
        }
        ends.append(end)
        digests.append(digest)
    }

    func key(at index: Int) -> Key {
        Key(text: String(decoding: bytes(at: index), as: UTF8.self))
    }

    func digest(at index: Int) -> MD5Digest { digests[index] }

    /// Where the key is; nil if it is not one of these.
    func index(of key: Key) -> Int? {
        let sought = key.text.utf8
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if bytes(at: middle).lexicographicallyPrecedes(sought) { low = middle + 1 } else { high = middle }
        }
        return low < count && bytes(at: low).elementsEqual(sought) ? low : nil
    }

    private func bytes(at index: Int) -> ArraySlice<UInt8> {
        keys[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
    }
}
