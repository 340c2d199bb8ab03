import PgConnection

/// The server's version is one that this tool knows the catalogs and the replication protocol of.
struct VersionCheck: ServerCheck {
    static let supported = 14...18

    func refusals(on connection: isolated PgConnection) throws -> [Refusal] {
        Self.refusal(for: connection.serverVersion).map { [$0] } ?? []
    }

    static func refusal(for version: ServerVersion) -> Refusal? {
        guard !supported.contains(version.major) else { return nil }
        let range = "\(supported.lowerBound) to \(supported.upperBound)"
        let object = "server version \(version)"
        if version.major < supported.lowerBound {
            return Refusal(
                code: "server-too-old", object: object, what: "is older than PostgreSQL \(supported.lowerBound)",
                why: "this version works with PostgreSQL \(range); older ones lack catalogs and protocol that it needs",
                fix: "upgrade the server to PostgreSQL \(supported.lowerBound) or later")
        }
        return Refusal(
            code: "server-too-new", object: object, what: "is newer than PostgreSQL \(supported.upperBound)",
            why:
                "this version works with PostgreSQL \(range); a newer one may have properties of tables that it would lose",
            fix: "use a version of shadow-alter that supports PostgreSQL \(version.major)")
    }
}
