import PgConnection

extension MigrationError {
    /// What somebody has dropped or renamed, when that is why an error came about; nil: it came about otherwise.
    ///
    /// - Parameter isFollowing: the record's tables are those of the way back.
    static func explaining(
        _ error: any Error, _ record: MigrationRecord, isFollowing: Bool, on connection: isolated PgConnection
    ) throws -> MigrationError? {
        // What is dropped between two looks at the catalogs is an internal error ("could not open relation with OID …"), or no row, or NULL.
        let (code, state) = ((error as? PgError)?.code, (error as? PgError)?.sqlState)
        let isAboutNames =
            state?.isAboutAMissingObject == true || state == .internalError || code == .unexpectedResult
            || error is SourceIdentity.Lost
            || (error as? MigrationError)?.code == .sourceChanged
        guard isAboutNames else { return nil }
        guard let phase = try phase(of: record, on: connection) else {
            return .stateGone(
                record, state: "what it has made is left as it is; its slot, if there is one, holds WAL back")
        }
        // At the exchange the names change hands.
        guard phase.isAfterSwap == isFollowing else { return nil }
        func dropped(_ what: String) -> MigrationError {
            let what = "\(what) was dropped by somebody else"
            return isFollowing ? .wayBackLost(what) : .sourceChanged(record, what)
        }
        for table in record.tables {
            let row = try connection.query(
                """
                SELECT $1::oid::regclass::text AS name, EXISTS (SELECT FROM pg_class WHERE oid = $1::oid) AS source,
                    to_regclass($2)::oid IS NOT DISTINCT FROM $1::oid AS same, EXISTS (SELECT FROM pg_class WHERE oid = $3::oid) AS green,
                    to_regclass($4) IS NOT NULL AS spool
                """,
                [
                    .int(table.plan.sourceOID), .text(table.plan.source.sql), .int(table.greenOID),
                    .text(table.spool.sql),
                ]
            ).single()
            if try !row.get("source", as: Bool.self) { return dropped("the table \(table.plan.source)") }
            if try !row.get("same", as: Bool.self) {
                return .sourceChanged(
                    record, isFollowing: isFollowing,
                    "the table \(table.plan.source) has another name now, \(try row.get("name", as: String.self)), given by somebody else",
                    "give it its name back and run again, or ")
            }
            if try !row.get("green", as: Bool.self) {
                return isFollowing ? .oldTableGone(table) : dropped("the new table \(table.plan.green)")
            }
            if try !row.get("spool", as: Bool.self) { return dropped("the state table \(table.spool)") }
        }
        guard let error = error as? SourceIdentity.Lost else { return nil }
        return .sourceChanged(
            record, isFollowing: isFollowing,
            "the name \(error.source) stood for another table for a while, which somebody else had put in its place")
    }

    /// As it is recorded now; nil when it is not, or the state tables are gone.
    private static func phase(of record: MigrationRecord, on connection: isolated PgConnection) throws -> Phase? {
        do {
            return try StateStore.find(id: record.id, on: connection)?.phase
        } catch let error as PgError where error.sqlState?.isAboutAMissingObject == true {
            return nil
        }
    }

    /// Somebody has removed the migration's record, or all of the state tables.
    static func stateGone(
        _ record: MigrationRecord, state: String, advice: String = "`shadow-alter list` shows what is left behind"
    ) -> MigrationError {
        MigrationError(
            .inconsistent, "the state of migration \(record.name) is gone from shadow_alter.migration", state: state,
            advice: advice)
    }

    /// While the old tables follow: one of them is not there any more.
    static func oldTableGone(_ table: TableRecord) -> MigrationError {
        .wayBackLost("the old table \(table.plan.green) was dropped by somebody else")
    }

    private static func wayBackLost(_ what: String) -> MigrationError {
        MigrationError(.wayBackLost, what, state: "nothing else was changed", advice: "")
    }

    private static func sourceChanged(
        _ record: MigrationRecord, isFollowing: Bool = false, _ what: String, _ wayOut: String = ""
    ) -> MigrationError {
        let name = record.name
        return isFollowing
            ? MigrationError(
                .sourceChanged, what, state: "nothing else was changed; the slot goes on holding WAL back",
                advice: "\(wayOut)`shadow-alter finalize \(name)`")
            : MigrationError(
                .sourceChanged, what,
                state: "what was copied and recorded is kept; no live table was touched by the run",
                advice: "\(wayOut)`shadow-alter abort \(name)` and start anew")
    }
}
