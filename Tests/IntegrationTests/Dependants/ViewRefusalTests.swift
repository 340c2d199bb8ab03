import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// What cannot be carried over is refused by name, and nothing is touched.
    @Suite(.serialized, .timeLimit(.minutes(3))) struct ViewRefusalTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var name: String
            var setup: String
            var clauses: String
            var code: String
            var says: [String]

            var testDescription: String { name }
        }

        static let table = "CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 2, '3');"

        static let cases = [
            Case(
                name: "renamed column", setup: "CREATE VIEW v AS SELECT a FROM t;", clauses: "RENAME a TO aa",
                code: "view-column", says: ["renames the column a to aa", "view public.v"]),
            Case(
                name: "dropped column", setup: "CREATE VIEW v AS SELECT id FROM t WHERE b = '3';",
                clauses: "DROP COLUMN b", code: "view-column", says: ["drops the column b", "DROP VIEW public.v;"]),
            Case(
                name: "dropped column of a function",
                setup: "CREATE FUNCTION f() RETURNS text LANGUAGE sql RETURN (SELECT max(b) FROM t);",
                clauses: "DROP COLUMN b", code: "function-column", says: ["DROP FUNCTION public.f();"]),
            Case(
                name: "dropped column of a rule",
                setup: "CREATE RULE r AS ON DELETE TO t WHERE old.a > 1 DO INSTEAD NOTHING;",
                clauses: "DROP COLUMN a", code: "rule-column", says: ["rule r on public.t"]),
            Case(
                name: "rejected view", setup: "CREATE VIEW v AS SELECT upper(b) AS u FROM t;",
                clauses: "ALTER b TYPE int USING b::int", code: "view-not-possible",
                says: ["view public.v", "function upper(integer) does not exist"]),
            Case(
                name: "rejected function",
                setup: "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN (SELECT max(a) FROM t);",
                clauses: "ALTER a TYPE text", code: "function-not-possible",
                says: ["function public.f()", "PostgreSQL says"]),
            Case(
                name: "rejected rule", setup: "CREATE RULE r AS ON DELETE TO t WHERE old.a > 1 DO INSTEAD NOTHING;",
                clauses: "ALTER a TYPE text", code: "rule-not-possible",
                says: ["rule r on public.t", "PostgreSQL says"]),
            Case(
                name: "rejected rule elsewhere",
                setup:
                    "CREATE TABLE o (a int); CREATE RULE r AS ON INSERT TO o DO ALSO UPDATE t SET b = 'x' WHERE a = ANY (ARRAY[new.a]);",
                clauses: "ALTER a TYPE text", code: "rule-not-possible", says: ["rule r on public.o"]),
            Case(
                name: "a policy on top",
                setup: """
                    CREATE VIEW v AS SELECT a FROM t; CREATE TABLE o (x int);
                    CREATE POLICY p ON o USING (x IN (SELECT a FROM v));
                    """, clauses: "ALTER a TYPE bigint", code: "view-dependent", says: ["policy p on table public.o"]),
            Case(
                name: "a column of the view's row type",
                setup: "CREATE VIEW v AS SELECT a FROM t; CREATE TABLE o (x v);",
                clauses: "ALTER a TYPE bigint", code: "view-dependent", says: ["table public.o"]),
            Case(
                name: "a default on top of a function",
                setup:
                    "CREATE FUNCTION f() RETURNS t LANGUAGE sql AS 'SELECT * FROM public.t'; CREATE TABLE o (x int DEFAULT length(f()::text));",
                clauses: "", code: "function-dependent", says: ["default value for column x of table"]),
            Case(
                name: "aggregate",
                setup: """
                    CREATE FUNCTION f(int, t) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE g(t) (SFUNC = f, STYPE = int);
                    """, clauses: "", code: "function-not-possible", says: ["aggregate public.g"]),
            Case(
                name: "same names",
                setup: """
                    CREATE SCHEMA api; CREATE VIEW api.t AS SELECT * FROM t;
                    CREATE VIEW of_both AS SELECT x.a, y.b FROM t x JOIN api.t y USING (id);
                    """, clauses: "ALTER id TYPE bigint", code: "view-not-possible",
                says: ["view public.of_both", "same name"]),
            label("a column of the view", "'pg_class'::regclass, 'v'::regclass, 1", says: "column a of view public.v"),
            label("the view's row type", "'pg_type'::regclass, 'v'::regtype, 0", says: "type public.v"),
            label(
                "a rule of the view", "'pg_rewrite'::regclass, (SELECT oid FROM pg_rewrite WHERE rulename = 'r'), 0",
                says: "rule r on view public.v"),
            label(
                "a function", "'pg_proc'::regclass, 'f'::regproc, 0", clauses: "", code: "function-dependent",
                says: "function public.f()"),
            Case(
                name: "circle",
                setup: """
                    CREATE VIEW v AS SELECT 1 AS a; CREATE VIEW w AS SELECT v.a FROM v JOIN t ON t.a = v.a;
                    CREATE OR REPLACE VIEW v AS SELECT a FROM w;
                    """, clauses: "", code: "view-circular", says: ["view public.w", "view public.v"]),
        ]

        /// A provider of labels is a C module; a row in the catalog is as good.
        private static func label(
            _ name: String, _ object: String, clauses: String = "ALTER a TYPE bigint", code: String = "view-dependent",
            says: String
        ) -> Case {
            Case(
                name: "a security label on \(name)",
                setup: """
                    CREATE VIEW v AS SELECT a FROM t; CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
                    CREATE FUNCTION f() RETURNS t LANGUAGE sql AS 'SELECT * FROM public.t';
                    SET allow_system_table_mods = on;
                    INSERT INTO pg_seclabel (classoid, objoid, objsubid, provider, label)
                        SELECT c, o, s, 'marker', 'secret' FROM (SELECT \(object)) x (c, o, s);
                    """, clauses: clauses, code: code, says: ["security label by marker on \(says)"])
        }

        @Test(arguments: try await Servers.outermost())
        func isRefusedAndNothingIsTouched(_ binaries: ServerBinaries) async throws {
            for (number, refused) in Self.cases.enumerated() {
                let database = try await TestDatabase.create("query_refused_\(number)", on: binaries)
                try await database.psql(Self.table + refused.setup)
                let oracle = DefinitionOracle(database: database)
                let before = try await oracle.read()
                let error = await RunningMigration(MigrationRequest("t", refused.clauses, name: "refused"), database)
                    .failure()
                let refusals = (error as? Refused)?.refusals ?? []
                #expect(refusals.contains { $0.code == refused.code }, "\(refused.name): \(String(describing: error))")
                for text in refused.says {
                    #expect(
                        refusals.contains { $0.description.contains(text) }, "\(refused.name): \(text)\n\(refusals)")
                }
                DefinitionOracle.expectSame(try await oracle.read(), before, refused.name)
                let session = try await TestSession(database)
                #expect(
                    try await session.column("SELECT nspname FROM pg_namespace WHERE nspname ~ 'refused|trial|shadow'")
                        == [])
                await session.close()
                try await database.server.psql("DROP DATABASE query_refused_\(number) WITH (FORCE)")
            }
        }

        @Test(arguments: try await Servers.outermost())
        func aTemporaryViewOfAnotherSession(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("view_temporary", on: binaries)
            try await database.psql(Self.table)
            let other = try await TestSession(database)
            try await other.execute("CREATE TEMPORARY VIEW v AS SELECT a FROM t")
            let error = await RunningMigration(MigrationRequest("t", "", name: "refused"), database).failure()
            #expect((error as? Refused)?.refusals.map(\.code) == ["view-temporary"], "\(String(describing: error))")
            #expect(try await other.column("SELECT a::text FROM v") == ["2"])
            await other.close()
        }

        /// The role owns the table and may do everything but that.
        @Test(arguments: try await Servers.outermost())
        func whatTheRoleMayNotDo(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("view_privilege", on: binaries)
            try await database.psql(
                Self.table + """
                    DROP ROLE IF EXISTS view_migrator; CREATE ROLE view_migrator LOGIN REPLICATION;
                    GRANT CREATE ON DATABASE view_privilege TO view_migrator; GRANT ALL ON SCHEMA public TO view_migrator;
                    CREATE VIEW v AS SELECT a FROM t; ALTER TABLE t OWNER TO view_migrator;
                    """)
            let options = ConnectionOptions(
                conninfo: database.server.conninfo(database: database.name) + " user=view_migrator",
                applicationName: "test")
            let request = MigrationRequest("t", "", name: "refused")
            let error = await #expect(throws: Refused.self) {
                try await Planning.dryRun(
                    request, connections: options)
            }
            #expect(error?.refusals.map(\.code) == ["query-privilege"], "\(String(describing: error))")
            try await database.server.psql("DROP DATABASE view_privilege WITH (FORCE)")
            try await database.server.psql("DROP ROLE view_migrator")
        }
    }
}
