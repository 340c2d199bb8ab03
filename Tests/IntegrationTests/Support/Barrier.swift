/// A place in the new table's definition where a session of the tool stops until the test lets it go on. With it a test can
/// do something exactly in the middle of a phase.
///
/// Closed from the start. `copy`: a CHECK of the new table that waits while a certain row is being copied.
struct Barrier: Sendable {
    /// To be part of a database's setup.
    static let setup = """
        CREATE TABLE barrier (name text PRIMARY KEY, closed boolean NOT NULL);
        INSERT INTO barrier VALUES ('copy', true);
        CREATE FUNCTION pass_barrier(id bigint, at bigint, who text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
            IF id = at AND current_setting('application_name') = who THEN
                -- Granted at once; it shows the test that somebody is here.
                PERFORM pg_advisory_xact_lock_shared(4712);
                WHILE (SELECT closed FROM public.barrier WHERE name = 'copy') LOOP
                    PERFORM pg_sleep(0.005);
                END LOOP;
            END IF;
            RETURN true;
        END $$;
        -- An index expression sees one snapshot only, so that it has to wait for a lock.
        CREATE FUNCTION index_barrier(id bigint, at bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF id = at AND current_setting('application_name') = 'shadow-alter index' THEN
                PERFORM pg_advisory_xact_lock_shared(4713);
            END IF;
            RETURN id;
        END $$;
        """

    /// A clause for ALTER TABLE: the copy stops at the row whose `id` is this.
    static func copyStops(at id: Int) -> String {
        "ADD CONSTRAINT barrier CHECK (pass_barrier(id, \(id), 'shadow-alter copy'))"
    }

    let session: TestSession

    /// Returns when the copy stands at the barrier: every page before it is copied and recorded.
    func waitForCopy(_ running: RunningMigration) async throws {
        try await running.until("the copy stands at the barrier") {
            try await session.isTrue(
                "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND granted "
                    + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
        }
    }

    func openCopy() async throws {
        try await session.execute("UPDATE public.barrier SET closed = false WHERE name = 'copy'")
    }

    /// Index builds stop from now on.
    func closeIndex() async throws {
        try await session.execute("SELECT pg_advisory_lock(4713)")
    }

    func openIndex() async throws {
        try await session.execute("SELECT pg_advisory_unlock(4713)")
    }

    func waitForIndex(_ running: RunningMigration) async throws {
        try await running.until("an index build stands at the barrier") {
            try await session.isTrue(
                "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4713 AND NOT granted "
                    + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
        }
    }
}
