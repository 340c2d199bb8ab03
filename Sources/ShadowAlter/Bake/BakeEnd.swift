import PgConnection

/// When the old tables need not follow any longer.
struct BakeEnd {
    let record: MigrationRecord
    /// How long after the exchange they are to be dropped; nil: nobody has said.
    let finalizeAfter: Duration?

    /// When this was asked first, in seconds since 1970 by the server's clock: what was asked of an earlier run was refused then, or done by who asked.
    private var since: Double?

    init(record: MigrationRecord, finalizeAfter: Duration?) {
        self.record = record
        self.finalizeAfter = finalizeAfter
    }

    enum Reason: String, Sendable, CustomStringConvertible {
        case bake = "the time of --bake is over"
        case finalizeAfter = "the time of --finalize-after is over"
        case finalize = "finalize was asked for"

        var description: String { rawValue }
    }

    /// nil: they go on.
    mutating func reason(on control: PgConnection) async throws -> Reason? {
        let (reason, now) = try await control.run { [self] in try look(on: $0) }
        since = since ?? now
        return reason
    }

    private func look(on connection: isolated PgConnection) throws -> (Reason?, now: Double?) {
        if try StateStore.isBaked(record.id, on: connection) { return (.bake, nil) }
        if let finalizeAfter, let rest = try StateStore.retention(finalizeAfter, of: record.id, on: connection)?.rest,
            rest <= .zero
        {
            return (.finalizeAfter, nil)
        }
        guard let (steering, now) = try StateStore.steering(of: record.id, on: connection) else { return (nil, nil) }
        if let wish = steering.finalization, wish >= since ?? now { return (.finalize, now) }
        return (nil, now)
    }
}
