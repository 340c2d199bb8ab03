import PgConnection
import PgOutput

/// A mark in the log that comes back in the stream, after every transaction that was committed before it was written.
public enum Watermark {
    public static func emitSQL(prefix: String, content: String) -> String {
        """
        SELECT pg_catalog.pg_logical_emit_message(
            true, \(Quoting.literal(prefix)), \(Quoting.literal(content))::pg_catalog.text)::pg_catalog.text AS lsn
        """
    }

    /// Writes a mark as a transaction of its own (or as part of the one that is open) and returns where it is in the log.
    ///
    /// It takes no lock and waits for nobody, but for the commit: with synchronous replication that includes the standbys.
    @discardableResult
    public static func emit(on connection: PgConnection, prefix: String, content: String) async throws -> LSN {
        try await connection.execute(emitSQL(prefix: prefix, content: content)).single().lsn("lsn")
    }
}
