import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// A table with policies of every kind, and another one whose policy reads it. Roles are a server's, so that their names carry the test's.
private struct Secured {
    let database: TestDatabase
    let role: String
    let session: TestSession

    static func setup(_ role: String) -> String {
        """
        CREATE ROLE \(role);
        CREATE ROLE "\(role) 2" IN ROLE \(role);
        CREATE SCHEMA other;
        CREATE TABLE membership (who text, tenant int, PRIMARY KEY (who, tenant));
        CREATE FUNCTION tenant() RETURNS int STABLE LANGUAGE sql AS 'SELECT current_setting(''app.tenant'')::int';
        CREATE TABLE doc (gone int, id int PRIMARY KEY, tenant int, parent int, "B'ody" text);
        ALTER TABLE doc DROP COLUMN gone;
        ALTER TABLE doc ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON doc USING (tenant = tenant()) WITH CHECK (tenant = tenant());
        CREATE POLICY "rest ""ricted" ON doc AS RESTRICTIVE FOR SELECT TO \(role), "\(role) 2" USING ("B'ody" <> 'secret' OR doc IS NULL);
        CREATE POLICY child ON doc AS RESTRICTIVE FOR INSERT TO \(role) WITH CHECK (parent IS NULL OR EXISTS (
            SELECT FROM doc p WHERE p.id = doc.parent AND p.tenant = doc.tenant));
        CREATE POLICY member ON doc FOR DELETE TO PUBLIC USING (tenant IN (SELECT m.tenant FROM membership m WHERE m.who = current_user));
        CREATE POLICY changes ON doc FOR UPDATE TO "\(role) 2" USING (true) WITH CHECK (id > 0);
        COMMENT ON POLICY child ON doc IS 'the parent''s tenant';
        CREATE TABLE other.note (id int PRIMARY KEY, doc int);
        ALTER TABLE other.note ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY of_doc ON other.note TO \(role) USING (EXISTS (SELECT FROM doc WHERE doc.id = note.doc));
        CREATE POLICY with_row ON other.note AS RESTRICTIVE USING (note.doc IS NOT NULL OR (SELECT d FROM doc d LIMIT 1) IS NULL);
        COMMENT ON POLICY of_doc ON other.note IS 'reads another table';
        GRANT ALL ON doc, membership, other.note TO \(role);
        GRANT USAGE ON SCHEMA other TO \(role);
        INSERT INTO doc SELECT n, n % 5, NULL, CASE WHEN n % 50 = 3 THEN 'secret' ELSE 'x' END FROM generate_series(1, 3000) n;
        INSERT INTO other.note SELECT n, n FROM generate_series(1, 3000) n;
        INSERT INTO membership VALUES ('\(role)', 3);
        """
    }

    init(_ name: String, on binaries: ServerBinaries) async throws {
        role = name + "_role"
        database = try await TestDatabase.create(name, on: binaries)
        try await database.psql("DROP ROLE IF EXISTS \(role), \"\(role) 2\"")
        try await database.psql(Self.setup(role))
        session = try await TestSession(database)
    }

    /// What the role sees, and may do, of all that.
    func uses() async throws -> [String] {
        try await session.execute("SET ROLE \(role); SET app.tenant = 3")
        var found = try await session.column(
            "SELECT count(*) || ' ' || sum(id) FROM doc UNION ALL SELECT count(*) || ' ' || sum(id) FROM other.note")
        for statement in [
            "INSERT INTO doc VALUES (9003, 3, NULL, 'x')", "INSERT INTO doc VALUES (9004, 3, 9003, 'x')",
            "INSERT INTO doc VALUES (9005, 4, NULL, 'x')", "INSERT INTO doc VALUES (9006, 3, 4, 'x')",
            "UPDATE doc SET tenant = 4 WHERE id = 8", "UPDATE doc SET parent = 9003 WHERE id = 13",
            "BEGIN; DELETE FROM doc WHERE id IN (3, 4, 8)",
        ] {
            do {
                found.append("\(try await session.execute(statement).affectedRows)")
            } catch let error as PgError {
                found.append("\(error.sqlState?.rawValue ?? "") \(error.message)")
            }
        }
        found += try await session.column("SELECT count(*) || ' ' || sum(id) FROM doc")
        try await session.execute("ROLLBACK; RESET ROLE; DELETE FROM doc WHERE id > 9000")
        return found
    }

    func close() async throws {
        await session.close()
        try await dropOwned(in: database)
        try await database.psql("DROP ROLE \(role), \"\(role) 2\"")
    }

    /// The locks first: an automatic ANALYZE waits for whoever has changed the table's row in pg_class, and would be waited for in turn.
    func dropOwned(in database: TestDatabase) async throws {
        try await database.psql(
            "BEGIN; LOCK TABLE doc, other.note; DROP OWNED BY \(role), \"\(role) 2\" CASCADE; COMMIT")
    }
}

extension LiveMigrations {
    /// Policies are on the new table before it is the live one, and no row is hidden from the copy.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct RowSecurityTests {
        @Test(arguments: try await Servers.outermost())
        func aRebuildLeavesNoDifference(_ binaries: ServerBinaries) async throws {
            let secured = try await Secured("rls_rebuild", on: binaries)
            try await secured.database.expectRebuildLeavesNoDifference("doc", name: "doc")
            #expect(try await secured.session.isTrue("(SELECT count(*) FROM doc) = 3000"))
            try await secured.close()
        }

        /// PostgreSQL itself refuses to change the type of a column that a policy uses; the twin gets its policies afterwards.
        @Test(arguments: try await Servers.outermost())
        func aChangeOfTypeTakesThemAlong(_ binaries: ServerBinaries) async throws {
            let secured = try await Secured("rls_type", on: binaries)
            let twin = try await TestDatabase.create("rls_type_twin", on: binaries)
            try await twin.psql(
                Secured.setup(secured.role).split(separator: "\n").filter { !$0.contains("CREATE ROLE") }.joined(
                    separator: "\n"
                )
                .replacing(
                    "DROP COLUMN gone;",
                    with:
                        "DROP COLUMN gone; ALTER TABLE doc ALTER id TYPE bigint, ALTER tenant TYPE bigint, ALTER parent TYPE bigint;"
                ))
            let running = RunningMigration(
                MigrationRequest("doc", "ALTER id TYPE bigint, ALTER tenant TYPE bigint, ALTER parent TYPE bigint"),
                secured.database, .quick.manual())
            try await running.untilReady(secured.session)
            let before = try await secured.uses()
            try await Steer(connections: secured.database.options).run(.cutOver, "doc")
            try await running.summary()
            let after = try await secured.uses()
            #expect(before == after)
            #expect(before.prefix(4) == ["540 811620", "540 811620", "1", "1"], "\(before)")
            #expect(
                before.dropFirst(4).prefix(2) == [
                    "42501 new row violates row-level security policy for table \"doc\"",
                    "42501 new row violates row-level security policy \"child\" for table \"doc\"",
                ], "\(before)")
            try await Finalize(connections: secured.database.options).run("doc")
            DefinitionOracle.expectSame(
                try await DefinitionOracle(database: secured.database).read(),
                try await DefinitionOracle(database: twin).read())
            try await secured.dropOwned(in: twin)
            try await secured.close()
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                (
                    "DROP \"B'ody\"", "policy-column",
                    "drops the column B'ody, which the policy rest \"ricted on public.doc uses"
                ),
                ("ALTER tenant TYPE text", "policy-not-possible", "operator does not exist: text = integer"),
                ("ALTER id TYPE text", "policy-not-possible", "the policy changes on public.doc cannot be made"),
            ])
        func whatCannotBeMadeIsRefused(
            _ binaries: ServerBinaries, _ refused: (clauses: String, code: String, says: String)
        ) async throws {
            let secured = try await Secured("rls_refused", on: binaries)
            let refusals = try await secured.database.refusals(MigrationRequest("doc", refused.clauses))
            #expect(Set(refusals.map(\.code)) == [refused.code])
            let text = refusals.map(\.description).joined(separator: "\n")
            #expect(text.contains(refused.says), "\(text)")
            try await secured.close()
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                (
                    "ALTER TABLE doc RENAME id TO number", "policy-column",
                    "which the policy of_doc on other.note uses", false
                ),
                (
                    "ALTER TABLE doc ALTER id TYPE text", "policy-not-possible",
                    "the policy of_doc on other.note cannot be made", true
                ),
            ])
        func policiesOfOtherTablesAreLookedAt(
            _ binaries: ServerBinaries, _ refused: (script: String, code: String, says: String, others: Bool)
        ) async throws {
            let secured = try await Secured("rls_others", on: binaries)
            if refused.others {
                try await secured.session.execute("DROP POLICY child ON doc; DROP POLICY changes ON doc")
            }
            let refusals = try await secured.database.refusals(
                MigrationRequest(change: .script(refused.script), strategy: .shadow))
            #expect(Set(refusals.map(\.code)) == [refused.code])
            let text = refusals.map(\.description).joined(separator: "\n")
            #expect(refused.others == false || text.contains(refused.says), "\(text)")
            try await secured.close()
        }

        /// A policy is its table's owner's to alter.
        @Test(arguments: try await Servers.outermost())
        func aPolicyOfSomebodyElsesTableIsRefused(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("rls_owner", on: binaries)
            try await database.psql(
                """
                DROP ROLE IF EXISTS rls_owner_migrator; CREATE ROLE rls_owner_migrator LOGIN REPLICATION;
                GRANT CREATE ON DATABASE rls_owner TO rls_owner_migrator; GRANT CREATE ON SCHEMA public TO rls_owner_migrator;
                CREATE TABLE doc (id int PRIMARY KEY); INSERT INTO doc SELECT generate_series(1, 100);
                ALTER TABLE doc OWNER TO rls_owner_migrator;
                CREATE TABLE note (doc int); CREATE POLICY of_doc ON note USING (EXISTS (SELECT FROM doc WHERE doc.id = note.doc));
                """)
            let options = ConnectionOptions(
                conninfo: database.server.conninfo(database: database.name, user: "rls_owner_migrator"))
            let refusals = try await database.refusals(MigrationRequest("doc", ""), options: options)
            #expect(refusals.map(\.code) == ["policy-owner"])
            #expect(refusals.first?.what.contains("policy of_doc on public.note") == true, "\(refusals)")
            #expect(refusals.first?.fix.contains("connect as postgres") == true, "\(refusals)")
            // A superuser may.
            try await RunningMigration(MigrationRequest("doc", ""), database).summary()
            try await Finalize(connections: database.options).run("doc")
            try await database.psql("DROP OWNED BY rls_owner_migrator CASCADE; DROP ROLE rls_owner_migrator")
        }

        /// A materialized view is made anew and cannot leave a policy behind; a view in its place keeps what stands on it.
        @Test(arguments: try await Servers.outermost())
        func aPolicyOverAMaterializedView(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("rls_detour", on: binaries)
            try await database.psql(
                """
                CREATE TABLE doc (id int PRIMARY KEY, tenant int); INSERT INTO doc SELECT n, n % 5 FROM generate_series(1, 100) n;
                CREATE VIEW docs AS SELECT tenant FROM doc; CREATE MATERIALIZED VIEW tenants AS SELECT DISTINCT tenant FROM docs;
                CREATE TABLE note (doc int, tenant int); ALTER TABLE note ENABLE ROW LEVEL SECURITY;
                CREATE POLICY of_tenant ON note USING (tenant IN (SELECT tenant FROM tenants) AND doc IN (SELECT id FROM doc));
                """)
            try await database.expectRebuildLeavesNoDifference("doc", name: "doc")
            try await database.psql(
                """
                CREATE MATERIALIZED VIEW direct AS SELECT DISTINCT tenant FROM doc;
                CREATE POLICY of_direct ON note USING (tenant IN (SELECT tenant FROM direct) AND doc IN (SELECT id FROM doc));
                """)
            let refusals = try await database.refusals(MigrationRequest("doc", ""))
            #expect(refusals.map(\.code) == ["materialized-view-dependent"])
            #expect(refusals.first?.what.contains("policy of_direct on table public.note") == true, "\(refusals)")
        }

        /// The owner is above the policies unless they are forced; whoever is not must not copy.
        @Test(arguments: try await Servers.outermost())
        func aRoleThatSeesNotAllRowsIsRefused(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("rls_role", on: binaries)
            try await database.psql(
                """
                DROP ROLE IF EXISTS rls_migrator;
                CREATE ROLE rls_migrator LOGIN REPLICATION;
                GRANT CREATE ON DATABASE rls_role TO rls_migrator;
                GRANT CREATE ON SCHEMA public TO rls_migrator;
                CREATE TABLE doc (id int PRIMARY KEY, tenant int);
                INSERT INTO doc SELECT n, n % 5 FROM generate_series(1, 1000) n;
                ALTER TABLE doc OWNER TO rls_migrator;
                ALTER TABLE doc ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                CREATE POLICY mine ON doc USING (tenant = 1);
                """)
            let options = ConnectionOptions(
                conninfo: database.server.conninfo(database: database.name, user: "rls_migrator"))
            let request = MigrationRequest("doc", "ALTER id TYPE bigint")
            let forced = try await database.refusals(request, options: options)
            #expect(forced.map(\.code) == ["row-security"])
            #expect(forced.first?.fix.contains("BYPASSRLS") == true)
            try await database.psql("ALTER TABLE doc NO FORCE ROW LEVEL SECURITY")
            let change = MigrationRequest("doc", "ALTER id TYPE bigint, FORCE ROW LEVEL SECURITY")
            #expect(try await database.refusals(change, options: options).map(\.code) == ["row-security"])
            _ = try await Migration(request, connections: options, options: .quick, log: CapturedLog().logger()).run()
            let session = try await TestSession(database)
            #expect(
                try await session.isTrue(
                    "(SELECT count(*) FROM doc) = 1000 AND (SELECT relrowsecurity FROM pg_class WHERE oid = 'doc'::regclass)"
                ))
            try await Finalize(connections: options).run("doc")
            await session.close()
            try await database.psql("DROP OWNED BY rls_migrator CASCADE; DROP ROLE rls_migrator")
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY",
                "NO FORCE ROW LEVEL SECURITY",
            ])
        func itCanBeSwitched(_ binaries: ServerBinaries, _ clause: String) async throws {
            let database = try await TestDatabase.create("rls_switch", on: binaries)
            let setup = """
                CREATE TABLE doc (id int PRIMARY KEY, tenant int);
                ALTER TABLE doc \(clause.contains("DISABLE") ? "ENABLE ROW LEVEL SECURITY" : "FORCE ROW LEVEL SECURITY");
                CREATE POLICY p ON doc USING (tenant = 1);
                """
            try await database.psql(setup)
            let native = try await Planning.dryRun(
                MigrationRequest("doc", clause, strategy: .auto), connections: database.options)
            #expect(native.strategy == .native)
            try await database.expectSameAsNative(setup: setup, "doc", clause, name: "doc")
        }

        @Test(
            arguments: try await Servers.outermost(),
            [
                "DROP POLICY tenant ON doc", "ALTER POLICY member ON doc USING (true)",
                "COMMENT ON POLICY child ON doc IS 'new'",
                "ALTER TABLE doc FORCE ROW LEVEL SECURITY", "DROP POLICY of_doc ON other.note",
                "ALTER POLICY of_doc ON other.note USING (true)",
            ])
        func aChangeOfAPolicyIsNoted(_ binaries: ServerBinaries, _ ddl: String) async throws {
            let secured = try await Secured("rls_changed", on: binaries)
            let running = RunningMigration(
                MigrationRequest("doc", "ALTER id TYPE bigint"), secured.database, .quick.manual())
            try await running.untilReady(secured.session)
            try await secured.session.execute(ddl)
            try await Steer(connections: secured.database.options).run(.cutOver, "doc")
            let error = try #require(await running.failure() as? MigrationError)
            #expect(error.code == .sourceChanged, "\(error)")
            try await Abort(connections: secured.database.options, log: running.log.logger()).run("doc")
            try await secured.close()
        }
    }
}
