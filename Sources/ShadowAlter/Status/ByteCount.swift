/// A number of bytes as people read it.
public struct ByteCount: Sendable, CustomStringConvertible {
    public let bytes: Int64

    public init(_ bytes: Int64) { self.bytes = bytes }

    public var description: String {
        var value = Double(bytes)
        for unit in ["bytes", "kB", "MB", "GB"] {
            if abs(value) < 1024 {
                return unit == "bytes" ? "\(bytes) bytes" : "\((value * 10).rounded() / 10) \(unit)"
            }
            value /= 1024
        }
        return "\((value * 10).rounded() / 10) TB"
    }
}
