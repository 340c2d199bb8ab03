import PgConnection
import Testing
import ThrowawayServer

/// Servers that subscribe, one for each version and process. They end with the process.
private actor SubscriberServers {
    static let shared = SubscriberServers()
    private var starting: [ServerBinaries: Task<ThrowawayServer, any Error>] = [:]

    func server(_ binaries: ServerBinaries) async throws -> ThrowawayServer {
        if let task = starting[binaries] { return try await task.value }
        let task = Task {
            // Whatever ended in an error is tried again at once.
            try await ThrowawayServer.start(
                binaries,
                settings: [
                    "wal_retrieve_retry_interval": "100ms", "max_logical_replication_workers": "12",
                    "max_worker_processes": "20",
                ])
        }
        starting[binaries] = task
        return try await task.value
    }
}

/// A database on another server that subscribes to a publication, with PostgreSQL's own logical replication.
struct Subscriber: Sendable {
    let publisher: TestDatabase
    let database: TestDatabase
    /// Of the database, of the subscription and of its slot.
    let name: String

    /// - Parameter setup: makes the tables that are subscribed to.
    static func create(_ name: String, of publisher: TestDatabase, setup: String) async throws -> Self {
        let server = try await SubscriberServers.shared.server(publisher.server.binaries)
        let database = try await TestDatabase.create(name, in: server)
        try await database.psql(setup)
        return Self(publisher: publisher, database: database, name: name)
    }

    /// The initial copy is complete when this returns.
    func subscribe(to publication: String) async throws {
        try await beginToSubscribe(to: publication)
        try await untilCopied()
    }

    func beginToSubscribe(to publication: String) async throws {
        let conninfo = Quoting.literal(publisher.server.conninfo(database: publisher.name))
        try await database.psql("CREATE SUBSCRIPTION \(name) CONNECTION \(conninfo) PUBLICATION \(publication)")
    }

    func untilCopied() async throws {
        let session = try await TestSession(database)
        try await eventually("the initial copy ends") {
            try await session.isTrue(
                "EXISTS (SELECT FROM pg_subscription_rel) AND NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r')"
            )
        }
        await session.close()
    }

    /// Returns when everything that has been committed at the publisher until now is here, too.
    func catchUp() async throws {
        let session = try await TestSession(publisher)
        let position: String = try await session.value("SELECT pg_current_wal_lsn()::text")
        do {
            try await eventually("the subscriber catches up") {
                try await session.isTrue(
                    "EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '\(name)' AND confirmed_flush_lsn >= '\(position)')"
                )
            }
        } catch let error as NeverHappened {
            let log = try database.server.log.split(separator: "\n").filter { $0.contains("ERROR") }.suffix(3)
            throw NeverHappened(description: "\(error.description); the subscriber says: \(log)")
        }
        await session.close()
    }

    /// How often applying has ended in an error.
    func errors() async throws -> Int {
        let text = try await database.psql(
            "SELECT coalesce(sum(apply_error_count), 0) FROM pg_stat_subscription_stats WHERE subname = '\(name)'")
        return Int(text.trimmingPrefix { $0.isWhitespace }.prefix { $0.isNumber }) ?? -1
    }

    /// The query's rows here are those at the publisher: each once, none more.
    ///
    /// - Parameter filter: what the publisher's query has beside.
    func expectSame(
        _ query: String, filter: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await catchUp()
        let there = try await rows(query + filter, in: publisher)
        let here = try await rows(query, in: database)
        #expect(!there.isEmpty, sourceLocation: sourceLocation)
        #expect(there.count == here.count, sourceLocation: sourceLocation)
        let difference = Set(there).symmetricDifference(here)
        #expect(
            difference.isEmpty, "\(difference.count) rows differ: \(difference.map { $0.prefix(80) }.prefix(4))",
            sourceLocation: sourceLocation)
    }

    private func rows(_ query: String, in database: TestDatabase) async throws -> [String] {
        let session = try await TestSession(database)
        let rows = try await session.column("SELECT r::text FROM (\(query)) r")
        await session.close()
        return rows
    }

    /// Takes the subscription away, and with it its slot.
    func end() async throws {
        try await database.psql("DROP SUBSCRIPTION \(name)")
    }
}
