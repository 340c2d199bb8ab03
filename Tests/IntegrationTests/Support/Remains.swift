import Testing

/// What a migration has left in a database.
struct Remains: Sendable {
    let session: TestSession

    /// Between the swap and `finalize` only the old table and its record may be there.
    func expectOnlyBlue(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await expect(schemas: ["\(name)_blue", "public", "shadow_alter"], sourceLocation: sourceLocation)
        let spools = try await session.column(
            "SELECT relname FROM pg_class WHERE relnamespace = 'shadow_alter'::regnamespace AND relname ~ '^(spool|suspect)'"
        )
        #expect(spools.isEmpty, sourceLocation: sourceLocation)
    }

    /// While the old table follows: the way back's spools and stream are there, and nothing of the way to the exchange.
    func expectBaking(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let schemas = try await session.column(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1")
        #expect(schemas == ["\(name)_blue", "public", "shadow_alter"], sourceLocation: sourceLocation)
        let counts = try await session.column(
            """
            SELECT count(*) FROM pg_class WHERE relnamespace = 'shadow_alter'::regnamespace AND relname ~ '^spool' AND relkind = 'r'
            UNION ALL SELECT count(*) FROM pg_replication_slots WHERE database = current_database()
            UNION ALL SELECT count(*) FROM pg_publication
            """)
        #expect(counts == ["1", "1", "1"], sourceLocation: sourceLocation)
    }

    /// After the end, however it came about: nothing.
    ///
    /// - Parameter others: schemas that the test itself has made.
    func expectNothing(besides others: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await expect(schemas: (others + ["public"]).sorted(), sourceLocation: sourceLocation)
    }

    private func expect(schemas expected: [String], sourceLocation: SourceLocation) async throws {
        let schemas = try await session.column(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1")
        #expect(schemas == expected.sorted(), sourceLocation: sourceLocation)
        let slots = try await session.column(
            "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")
        #expect(slots.isEmpty, sourceLocation: sourceLocation)
        let publications = try await session.column("SELECT pubname FROM pg_publication")
        #expect(publications.isEmpty, sourceLocation: sourceLocation)
        // A closed connection's process may take a moment to go.
        try await eventually("the tool's sessions have ended") {
            try await !session.isTrue(
                "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
                    + "AND application_name LIKE 'shadow-alter%')")
        }

    }
}
