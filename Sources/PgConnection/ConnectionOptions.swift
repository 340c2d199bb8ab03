import FoundationEssentials

/// How to reach a server, and the settings of the session there.
public struct ConnectionOptions: Sendable, Hashable {
    /// A URI or keyword string as libpq takes it; empty leaves everything to `PGHOST`, `PGSERVICE`, `.pgpass`, …
    public var conninfo: String
    public var applicationName: String
    /// Set right after connecting, over whatever the role or the database has as its defaults.
    public var settings: [String: String]
    /// Set as well, unless the connection string itself says something else.
    public var fallbacks: [String: String] = [:]
    /// Knows the connections that are made with these options; nil: nobody does.
    package var registry: ConnectionRegistry?
    /// A replication connection to the database (`replication=database`).
    public var isReplication: Bool

    public init(
        conninfo: String, applicationName: String = "shadow-alter", settings: [String: String] = [:],
        isReplication: Bool = false
    ) {
        self.conninfo = conninfo
        self.applicationName = applicationName
        self.settings = settings
        self.isReplication = isReplication
    }

    /// The same server with further settings; the new value wins.
    public func with(_ further: [String: String], applicationName: String? = nil) -> Self {
        var copy = self
        copy.settings.merge(further) { $1 }
        if let applicationName { copy.applicationName = applicationName }
        return copy
    }

    /// libpq's keywords. A later one wins over an earlier one, and what the conninfo says (`dbname` is expanded when it is a
    /// URI or keyword string) counts at its place: the conninfo overrides the time limits, and cannot change the rest. A
    /// dead peer is noticed within about a minute instead of the kernel's two hours.
    var keywords: [(keyword: String, value: String)] {
        var all = [
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            // What was sent and is not acknowledged in this time, in milliseconds, ends the connection.
            ("tcp_user_timeout", "60000"),
        ]
        // A keyword would hide the variable, which people set.
        if ProcessInfo.processInfo.environment["PGCONNECT_TIMEOUT"] == nil { all.append(("connect_timeout", "10")) }
        all += [("dbname", conninfo), ("application_name", applicationName), ("client_encoding", "UTF8")]
        if isReplication { all.append(("replication", "database")) }
        return all.map { (keyword: $0.0, value: $0.1) }
    }
}
