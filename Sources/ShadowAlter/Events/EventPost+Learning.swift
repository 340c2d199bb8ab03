import PgConnection

/// What is learnt of a run while it starts. Nothing is asked of the server when nobody listens.
extension EventPost {
    /// The first thing of all; also begins to tell the status.
    func connected(_ request: MigrationRequest, on control: PgConnection) async throws {
        guard isObserved else { return }
        let (name, row) = try await control.run { connection in
            (
                try Planner.name(of: request, on: connection),
                try connection.query(
                    """
                    SELECT current_database()::text AS database, clock_timestamp()::text AS now,
                        coalesce(host(inet_server_addr()), 'here') || ':' || current_setting('port') AS server
                    """
                ).single()
            )
        }
        var subject = EventScene.Subject(request)
        if let name { subject.name = name }
        subject.database = try row.get("database")
        subject.server = try row.get("server")
        learn(StatusSketch(subject, startedAt: try row.get("now")))
        learn { [subject] in $0 = subject }
    }

    /// The migration was there before this run.
    func resumed(_ record: MigrationRecord, on control: PgConnection) async throws {
        learn { $0.isResumed = true }
        try await recorded(record, on: control)
    }

    func recorded(_ record: MigrationRecord, on control: PgConnection) async throws {
        guard isObserved else { return }
        learn {
            $0.name = record.name
            $0.tables = record.plan.tables.map(\.source.sql)
        }
        if let status = try await StatusReader.read(record.name, on: control, live: StatusBox.Snapshot()) {
            learn(StatusSketch(status))
        }
    }

    func planned(_ plan: MigrationPlan) {
        learn {
            $0.name = plan.name
            $0.tables = plan.tables.map(\.source.sql)
        }
        updateSketch { base in
            base.name = plan.name
            base.tables = plan.tables.map {
                .init(table: $0.source.description, rowsEstimated: $0.estimatedRows, rowsCopied: 0, percent: 0)
            }
        }
    }
}
