/// A place in the new table's definition where a session of the tool stops until the test lets it go on. With it a test can
/// do something exactly in the middle of a phase.
///
/// `copy`: a CHECK of the new table that waits while a certain row is being copied, closed from the start. An index that waits while its new table is
/// built, and a mapping that waits while a certain row is compared: both are open until they are closed.
struct Barrier: Sendable {
    /// To be part of a database's setup.
    static let setup = """
        CREATE TABLE barrier (name text PRIMARY KEY, closed boolean NOT NULL);
        INSERT INTO barrier VALUES ('copy', true), ('verify', false);
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
        CREATE FUNCTION wait_to_verify() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
            WHILE (SELECT closed FROM public.barrier WHERE name = 'verify') LOOP
                PERFORM pg_advisory_xact_lock_shared(4714);
                PERFORM pg_sleep(0.005);
            END LOOP;
        END $$;
        -- Each value is what it was, so that it may be called immutable, or the verification would leave the column out.
        CREATE FUNCTION verify_barrier(value text, id bigint, at bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF id = at AND current_setting('application_name') = 'shadow-alter verify' THEN
                PERFORM public.wait_to_verify();
            END IF;
            RETURN value;
        END $$;
        """

    /// A clause for ALTER TABLE: the copy stops at the row whose `id` is this.
    static func copyStops(at id: Int) -> String {
        "ADD CONSTRAINT barrier CHECK (pass_barrier(id, \(id), 'shadow-alter copy'))"
    }

    /// A clause for ALTER TABLE: the verification stops at the row whose `id` is this, once `closeVerification` has been called.
    static func verificationStops(at id: Int) -> String {
        "ALTER value TYPE text USING verify_barrier(value, id, \(id))"
    }

    let session: TestSession

    /// Returns when the copy stands at the barrier: every page before it is copied and recorded.
    func waitForCopy(_ running: RunningMigration) async throws {
        try await running.until("the copy stands at the barrier") {
            try await isLocked(4712, granted: true)
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
            try await isLocked(4713, granted: false)
        }
    }

    func closeVerification() async throws {
        try await session.execute("UPDATE public.barrier SET closed = true WHERE name = 'verify'")
    }

    func openVerification() async throws {
        try await session.execute("UPDATE public.barrier SET closed = false WHERE name = 'verify'")
    }

    func waitForVerification(_ running: RunningMigration) async throws {
        try await running.until("the verification stands at the barrier") {
            try await isLocked(4714, granted: true)
        }
    }

    private func isLocked(_ number: Int, granted: Bool) async throws -> Bool {
        try await session.isTrue(
            """
            EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = \(number) AND granted = \(granted)
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            """)
    }
}
