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

    /// nil: they go on.
    mutating func reason(on control: PgConnection) async throws -> String? {
        let (reason, now) = try await control.run { [self] in try look(on: $0) }
        since = since ?? now
        return reason
    }

    private func look(on connection: isolated PgConnection) throws -> (String?, now: Double?) {
        if try StateStore.isBaked(record.id, on: connection) { return ("the time of --bake is over", nil) }
        if let finalizeAfter, let rest = try StateStore.retention(finalizeAfter, of: record.id, on: connection)?.rest,
            rest <= .zero
        {
            return ("the time of --finalize-after is over", nil)
        }
        guard let (steering, now) = try StateStore.steering(of: record.id, on: connection) else { return (nil, nil) }
        if let wish = steering.finalization, wish >= since ?? now { return ("finalize was asked for", now) }
        return (nil, now)
    }
}
