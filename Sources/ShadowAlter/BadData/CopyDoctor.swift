import Logging
import PgConnection

/// After a chunk has failed for a row of its: looks for all such rows in what is not copied yet, so that they can be mended at once.
///
/// The stream is read and spooled meanwhile.
struct CopyDoctor: Sendable {
    let record: MigrationRecord
    let control: PgConnection
    let connections: ConnectionOptions
    let settings: LiveSettings
    let throttle: Throttle
    let status: StatusBox
    let log: Logger

    /// What a chunk has failed for.
    struct Finding: Error {
        var error: PgError
        /// The table's place in the migration.
        var table: Int
    }

    /// nil when there is no such row any more: then the chunk may be tried again.
    func explain(_ finding: Finding) async throws -> MigrationError? {
        let plan = record.tables[finding.table].plan
        let why = ShortValue.text(finding.error.message)
        log.error(
            "a row of \(plan.source) cannot be had in its new form (\(why)): the copy has stopped, and all such rows are being looked for"
        )
        do {
            let found = try await look()
            guard found.contains(where: { $0.total > 0 }) else { return nil }
            return BadData.explain(found, first: finding.error, table: plan, source: .copy)
        } catch let error as PgError where error.sqlState == .insufficientPrivilege {
            // Nobody looks without a temporary table.
            log.warning("the rows cannot be looked for: \(error.message)")
            return BadData.explain(finding.error, table: plan, source: .copy)
        }
    }

    private func look() async throws -> [BadRows] {
        let connection = try await PgConnection.connect(connections, for: .copy, plan: record.plan)
        do {
            var found: [BadRows] = []
            for table in record.tables {
                guard let file = table.file else { continue }
                found.append(try await look(table, file, on: connection))
            }
            await connection.close()
            status.update { $0.reason = nil }
            return found
        } catch {
            await connection.close()
            status.update { $0.reason = nil }
            throw error
        }
    }

    private func look(_ table: TableRecord, _ file: SourceFile, on connection: PgConnection) async throws -> BadRows {
        let done = try await control.run { try StateStore.copiedPages(of: table.id, on: $0) }
        var queue = ChunkQueue(pages: file.pages, done: done)
        var ranges: [Range<Int64>] = []
        while let range = queue.next(.max / 2) { ranges.append(range) }
        let probe = try await connection.transaction { connection in
            let probe = try connection.readingDefinitions {
                try ProbeTable.read(table.greenOID, isPartitioned: table.plan.isPartitioned, on: $0)
            }
            try connection.execute(ProbeTable.drop)
            try connection.execute(probe.create)
            return probe
        }
        let options = settings.current
        let pace = SearchPace(
            step: options.chunkTime, largestStep: options.maximumChunkPages, niceRatio: options.niceRatio
        ) { [throttle] in
            try Task.checkCancellation()
            try await throttle.admit()
        } progress: { [status] part, total in
            status.update {
                $0.reason =
                    "looking for all rows of \(table.plan.source) that cannot be had in their new form: \(Int(part * 100)) %, \(total) so far"
            }
        }
        return try await BadRowScan(
            plan: table.plan, probe: probe, spool: table.spool, connection: connection, pace: pace
        ) { [log] row in
            log.error("cannot be had in its new form: \(row.table), \(row.text)")
        }.run(over: ranges)
    }
}
