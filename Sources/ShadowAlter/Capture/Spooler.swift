import PgConnection
import PgOutput

/// Writes dirty keys to the spool, and only then lets the slot be confirmed: whatever dies, a key is in the slot or in the spool.
actor Spooler {
    private let connection: PgConnection
    private let collector: ChangeCollector
    private let tables: [TableRecord]
    private let watermarks: Watermarks
    /// Asks the stream to confirm at once.
    private let onConfirmed: @Sendable () -> Void
    private var nextSequence: Int64

    init(
        connection: PgConnection, collector: ChangeCollector, tables: [TableRecord], watermarks: Watermarks,
        onConfirmed: @escaping @Sendable () -> Void
    ) async throws {
        self.connection = connection
        self.collector = collector
        self.tables = tables
        self.watermarks = watermarks
        self.onConfirmed = onConfirmed
        nextSequence = try await connection.run { connection in
            // After everything that a run before this one has spooled, and after every truncation it has noted.
            let maxima = tables.map { "SELECT max(seq) AS seq FROM \($0.spool.sql)" }
            let noted = "SELECT max(truncated_at) FROM shadow_alter.migrated_table"
            let all = (maxima + [noted]).joined(separator: " UNION ALL ")
            return try connection.query("SELECT coalesce(max(seq), 0) + 1 FROM (\(all)) AS spooled").single().value()
        }
    }

    /// Flushes whenever the collector says so, until cancelled.
    func run() async throws {
        for await _ in collector.rings {
            try Task.checkCancellation()
            try await flush()
        }
        try Task.checkCancellation()
    }

    private func flush() async throws {
        let changes = collector.take()
        if changes.hasChanges {
            nextSequence = try await Self.write(changes, from: nextSequence, tables: tables, on: connection)
            try Failpoint.spooled.pass()
        }
        collector.confirm(changes)
        if !changes.watermarks.isEmpty { watermarks.reached(changes.watermarks) }
        if changes.hasChanges { onConfirmed() }
    }

    /// One transaction: truncations, then keys. Returns the next free sequence number.
    private static func write(
        _ changes: PendingChanges, from first: Int64, tables: [TableRecord], on connection: PgConnection
    ) async throws -> Int64 {
        try await connection.transaction { connection in
            var sequence = first
            let xmax: UInt64 = try connection.query("SELECT pg_snapshot_xmax(pg_current_snapshot())").single().value()
            for (table, pending) in zip(tables, changes.tables) {
                if pending.isTruncated {
                    try connection.query(
                        "UPDATE shadow_alter.migrated_table SET truncated_at = $2 WHERE id = $1",
                        [.int(table.id), .int(sequence)])
                    try Failpoint.truncationNoted.pass()
                    sequence += 1
                }
                guard !pending.writers.isEmpty else { continue }
                var rows = SpoolRows()
                for (key, writer) in pending.writers {
                    rows.append(sequence: sequence, writer: TransactionID.widen(writer, near: xmax), key: key)
                    sequence += 1
                }
                try connection.copyIn(SpoolSQL.copyIn(table.spool, for: table.plan), rows.bytes)
                try Failpoint.spooling.pass()
            }
            return sequence
        }
    }
}

/// Spool rows in COPY's text format; the key comes in that format already.
private struct SpoolRows {
    private(set) var bytes: [UInt8] = []

    mutating func append(sequence: Int64, writer: UInt64, key: PendingChanges.Key) {
        bytes += String(sequence).utf8
        bytes.append(UInt8(ascii: "\t"))
        bytes += String(writer).utf8
        bytes.append(UInt8(ascii: "\t"))
        bytes += key.bytes
        bytes.append(UInt8(ascii: "\n"))
    }
}
