import PgConnection

/// What a session of ours is for; decides its settings and the name under which operators see it in `pg_stat_activity`.
enum SessionRole: String, Sendable {
    case control
    case copy
    case index
    case refresh
    case verify
    case spool
    case watermark
    case cutOver = "cut-over"
    case stream
    case throttle
}

extension ConnectionOptions {
    /// The same server, with settings that no default of the role or the database can spoil.
    ///
    /// - `synchronous_commit`: `local` waits for the primary's own disk and never for a standby, which could be gone while we hold a
    ///   lock. The copy's chunks and their bookkeeping share a transaction, and so do the refresh's rows and the keys that it takes out of the spool, so that
    ///   losing the last moments of both is harmless: `off`. What the spool has taken from the slot is on the disk before the slot is told.
    /// - `row_security` off makes a hidden row an error instead of a lost row.
    func session(_ role: SessionRole, plan: MigrationPlan? = nil) -> ConnectionOptions {
        var settings = [
            "statement_timeout": "0",
            "lock_timeout": "0",
            "idle_session_timeout": "0",
            "default_transaction_read_only": "off",
            "default_transaction_isolation": "read committed",
            "default_transaction_deferrable": "off",
            "row_security": "off",
            "synchronous_commit": [.copy, .index, .refresh, .verify].contains(role) ? "off" : "local",
            "client_min_messages": "warning",
            "jit": "off",
        ]
        if let plan {
            settings["search_path"] = plan.searchPath
            settings["TimeZone"] = plan.timeZone
        }
        switch role {
        case .refresh, .cutOver, .verify:
            // A batch looks up its rows one by one: its size is known to us and not to the planner.
            settings["enable_hashjoin"] = "off"
            settings["enable_mergejoin"] = "off"
            settings["enable_seqscan"] = "off"
            // Starting other processes takes longer than anything that is asked under the lock.
            settings["max_parallel_workers_per_gather"] = "0"
        case .throttle:
            // What users measure must neither hang us nor change anything.
            settings["statement_timeout"] = "2s"
            settings["lock_timeout"] = "500ms"
            settings["default_transaction_read_only"] = "on"
        case .stream, .spool:
            settings.merge(ExactText.ofValues) { $1 }
        case .control:
            settings.merge(ExactText.ofDefinitions) { $1 }
        case .copy, .index, .watermark:
            break
        }
        var copy = with(settings, applicationName: "shadow-alter \(role.rawValue)")
        copy.fallbacks = Self.endings
        return copy
    }

    /// So that the server notices when we are gone, whatever became of us, and lets go of what we hold; a connection string may say otherwise.
    ///
    /// - A connection that has broken without a word is noticed within about a minute, instead of the kernel's two hours.
    /// - A statement that works for somebody who is gone is ended within a second (`client_connection_check_interval`, PostgreSQL 14+ on Linux and the like;
    ///   before, and elsewhere, it would go on to its end, with its locks).
    /// - A transaction of ours waits for us for milliseconds. One that waits for longer belongs to a process that was stopped, or whose
    ///   network stands still.
    private static let endings = [
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "60000",
        "idle_in_transaction_session_timeout": "60000",
        "client_connection_check_interval": "1000",
    ]
}

extension PgConnection {
    /// In which values go to and fro; nil: UTF-8, into which the server converts. Where it converts nothing, it would end a session over every text that is
    /// not UTF-8.
    nonisolated var encodingOfValues: String? { serverEncoding == "SQL_ASCII" ? serverEncoding : nil }

    /// Connects a session of this role.
    static func connect(
        _ options: ConnectionOptions, for role: SessionRole, plan: MigrationPlan? = nil
    ) async throws -> PgConnection {
        let connection = try await connect(options.session(role, plan: plan))
        if connection.serverVersion.major >= 17 {
            try await connection.execute("SET transaction_timeout = 0")
        }
        // Values are passed on, or shown to people. What is planned, and what is made anew of its text, has to be UTF-8.
        if role != .control, let encoding = connection.encodingOfValues {
            try await connection.execute("SET client_encoding = \(Quoting.literal(encoding))")
        }
        return connection
    }
}
