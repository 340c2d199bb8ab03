import PgConnection

/// Reads what operators ask for, and passes it on to whoever has to obey. Once a second, and before anything is begun.
struct Obedience: Sendable {
    let record: MigrationRecord
    let connection: PgConnection
    let schedule: CutOverSchedule
    /// For the cut-over, in seconds since 1970 by the server's clock; nil: none.
    let deadline: Double?
    let helm: Helm
    let status: StatusBox

    /// Throws `aborted` on request, and `deadlineMissed` while there is nothing yet that could be exchanged.
    func look() async throws {
        guard
            let (steering, now) = try await connection.run({ [record] in try StateStore.steering(of: record.id, on: $0)
            })
        else {
            throw MigrationError.stateGone(record, state: "no live table was touched")
        }
        helm.obey(steering, now: now)
        helm.set(schedule: try await schedule.wait(on: connection), isOverdue: deadline.map { $0 <= now } ?? false)
        // Later it ends between two attempts, and not in the middle of one.
        if status.snapshot.phase < .ready { try helm.checkDeadline() }
        // One that came too late is none.
        guard !steering.isAborted || status.snapshot.phase.isAfterSwap else {
            throw MigrationError(
                .aborted, "migration \(record.name) was ended by `abort`", state: "no live table was touched",
                advice: "")
        }
    }
}
