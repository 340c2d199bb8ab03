import PgConnection
import PgOutput
import PgReplication
import Synchronization

/// What a control socket and the like may see and do of a run that is alive.
public protocol MigrationControl: Sendable {
    /// Where the migration stands. Throws `MigrationControlError` before there is one.
    func status() async throws -> MigrationStatus
    /// Records what is asked for and obeys it at once. Returns what comes of it, for people.
    func steer(_ command: SteeringCommand) async throws -> String
    /// The value that is in force.
    func value(of setting: Setting) -> String
    /// How far the change stream is.
    func coordinates() async throws -> StreamCoordinates
}

/// A migration that is under way.
public struct StartedMigration: Sendable {
    public let name: String
    public let database: String
    /// Tells the server from others as it is reached: its address, and its port.
    public let server: String
}

/// Where the change stream stands, as `coordinates` shows it.
public struct StreamCoordinates: Codable, Sendable, Equatable {
    /// The replication slot's and the publication's name.
    public var slot: String
    /// Everything before it is durably spooled; nil before the first confirmation.
    public var confirmed: String?
    /// The server's current end of WAL.
    public var current: String

    public init(slot: String, confirmed: String?, current: String) {
        self.slot = slot
        self.confirmed = confirmed
        self.current = current
    }
}

/// Why a run cannot be steered at this moment.
public struct MigrationControlError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }

    static let notYet = Self("the migration is not under way yet: it is being planned; try again in a moment")
    static let gone = Self("the migration is gone from the state tables")
    static let exchanged = Self("the tables are exchanged already; all that can be asked for is `finalize`")
}

/// The control of one run, filled once its migration is recorded.
final class RunControl: MigrationControl {
    struct Alive: Sendable {
        let record: MigrationRecord
        let connection: PgConnection
        /// nil after the exchange, when there is nothing to be steered any more.
        let helm: Helm?
    }

    private let settings: LiveSettings
    private let box: StatusBox
    private let onStart: Migration.OnStart
    private let alive = Mutex<Alive?>(nil)
    /// Where the run can be spoken to, once that is opened; it stays open when another phase goes on.
    private let opened = Mutex<String??>(nil)
    private let listening = Mutex<Double?>(nil)

    init(settings: LiveSettings, status: StatusBox, onStart: @escaping Migration.OnStart) {
        self.settings = settings
        self.onStart = onStart
        box = status
    }

    /// When the run began to listen, in seconds since 1970 by the server's clock: what was asked before was asked of another run.
    var listeningSince: Double? { listening.withLock { $0 } }

    /// Returns where the run can be spoken to.
    func begin(_ new: Alive) async throws -> String? {
        alive.withLock { $0 = new }
        let row = try await new.connection.query(
            """
            SELECT current_database()::text AS database,
                coalesce(host(inet_server_addr()), 'here') || ':' || current_setting('port') AS server,
                extract(epoch FROM clock_timestamp())::float8 AS now
            """
        ).single()
        let now: Double = try row.get("now")
        listening.withLock { $0 = $0 ?? now }
        let started = StartedMigration(
            name: new.record.name, database: try row.get("database"), server: try row.get("server"))
        let socket: String?
        if let known = opened.withLock({ $0 }) {
            socket = known
        } else {
            socket = try await onStart(started, self)
            opened.withLock { $0 = .some(socket) }
        }
        try await new.connection.run { try StateStore.setSocket(socket, of: new.record.id, on: $0) }
        return socket
    }

    func end() { alive.withLock { $0 = nil } }

    private func current() throws -> Alive {
        guard let alive = alive.withLock({ $0 }) else { throw MigrationControlError.notYet }
        return alive
    }

    func status() async throws -> MigrationStatus {
        let alive = try current()
        guard var status = try await StatusReader.read(alive.record.name, on: alive.connection, live: box.snapshot)
        else {
            throw MigrationControlError.gone
        }
        // Who is passed over by the command line is known here alone.
        status.blockers = status.blockers.filter(settings.current.waits(for:))
        return status
    }

    func steer(_ command: SteeringCommand) async throws -> String {
        let alive = try current()
        guard let helm = alive.helm else { return try await finalize(command, alive) }
        if case .set(let setting, let value) = command {
            // Refused before it is recorded.
            var trial = settings.current
            try trial.set(setting, to: value)
        }
        let steered = try await steered(alive) { connection in
            if let current = try StateStore.find(id: alive.record.id, on: connection),
                let refusal = try command.refusal(current, on: connection)
            {
                throw refusal
            }
            return try StateStore.steer(command, alive.record.id, on: connection)
        }
        guard let (steering, now) = steered else { throw MigrationControlError.gone }
        helm.obey(steering, now: now)
        return command.outcome
    }

    private func steered(
        _ alive: Alive, _ body: @Sendable (isolated PgConnection) throws -> (Steering, now: Double)?
    ) async throws -> (Steering, now: Double)? {
        try await StateStore.whileThere { try await alive.connection.transaction { try body($0) } }
    }

    /// After the exchange.
    private func finalize(_ command: SteeringCommand, _ alive: Alive) async throws -> String {
        guard command == .finalize else { throw MigrationControlError.exchanged }
        let found = try await steered(alive) { try StateStore.steer(command, alive.record.id, on: $0) }
        guard found != nil else { throw MigrationControlError.gone }
        return command.outcome
    }

    func value(of setting: Setting) -> String { settings.current.value(of: setting) }

    func coordinates() async throws -> StreamCoordinates {
        let alive = try current()
        let name = alive.record.streamName
        let slot = try await ReplicationSlot.find(name: name, on: alive.connection)
        let end: String = try await alive.connection.query("SELECT pg_current_wal_lsn()::text").single().value()
        return StreamCoordinates(slot: name, confirmed: slot?.confirmedFlushLSN?.description, current: end)
    }
}
