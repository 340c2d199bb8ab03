/// A server's version as `server_version_num` has it: 150018 is 15.18.
public struct ServerVersion: RawRepresentable, Comparable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    public var major: Int { rawValue / 10_000 }
    public var minor: Int { rawValue % 10_000 }
    public var description: String { "\(major).\(minor)" }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
