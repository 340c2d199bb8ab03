import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// Event triggers of the user fire on our statements: `plan` says which, on which, and says nothing of the others.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct EventTriggerTests {
        /// Everything that a migration executes, and nothing else: the server's log tells.
        @Test(arguments: try await Servers.outermost(), examples)
        func whatIsForetoldIsWhatFires(
            _ binaries: ServerBinaries, _ example: (clauses: String, setup: [String])
        ) async throws {
            let database = try await TestDatabase.create("event_log", on: binaries)
            let mark = "fired \(UInt32.random(in: .min ... .max))"
            try await database.psql(example.setup.joined() + Self.observers(mark))
            let strategy: MigrationRequest.Strategy = example.clauses.hasPrefix("ADD") ? .auto : .shadow
            let request = MigrationRequest("t", example.clauses, strategy: strategy)
            let plan = try await Planning.dryRun(request, connections: database.options)
            let summary = try await RunningMigration(request, database).summary()
            if plan.strategy == .shadow { try await Finalize(connections: database.options).run("t") }
            #expect(summary.strategy == plan.strategy)
            let fired = try Self.fired(database.server.log, mark, database.name)
            #expect(fired["ddl_command_start"]?.contains("ALTER TABLE") == true)
            for event in ["ddl_command_start", "ddl_command_end", "sql_drop", "table_rewrite"] {
                let foretold = plan.warnings.filter { $0.contains("the event trigger on_\(event) (\(event)) calls") }
                #expect(foretold.count == (fired[event] == nil ? 0 : 1), "\(event) fired: \(fired[event] ?? "never")")
                guard let tags = fired[event] else { continue }
                #expect(foretold.allSatisfy { $0.contains(" statements as well: \(tags);") }, "\(tags)\n\(foretold)")
            }
        }

        /// The tags by event, sorted.
        private static func fired(_ log: String, _ mark: String, _ database: String) throws -> [String: String] {
            let pattern = try Regex("\(mark) ([a-z_]+):\(database):([A-Z ]+)$")
            var tags: [String: Set<String>] = [:]
            for line in log.split(separator: "\n") {
                guard let match = try pattern.firstMatch(in: line), let event = match[1].substring,
                    let tag = match[2].substring
                else { continue }
                tags[String(event), default: []].insert(String(tag))
            }
            return tags.mapValues { $0.sorted().joined(separator: ", ") }
        }

        static let examples = [
            ("ALTER a TYPE bigint, DROP b", [table, surroundings]), ("", [table]),
            ("ADD c int", [table, surroundings]),
        ]

        static let table = """
            CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL CHECK (a > 0), b text);
            INSERT INTO t SELECT n, n, 'x' FROM generate_series(1, 100) n;
            """

        static let surroundings = """
            ALTER TABLE t ADD n int GENERATED ALWAYS AS IDENTITY, ADD s serial; CREATE INDEX a_index ON t (a);
            CREATE STATISTICS st ON id, a FROM t; COMMENT ON TABLE t IS 'a table'; GRANT SELECT ON t TO PUBLIC;
            CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW w AS SELECT id FROM t;
            CREATE MATERIALIZED VIEW m AS SELECT a, count(*) FROM t GROUP BY a; CREATE UNIQUE INDEX ON m (a);
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
            CREATE POLICY p ON t USING (a > 0); CREATE RULE r AS ON DELETE TO t WHERE old.a = 3 DO INSTEAD NOTHING;
            CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; END;
            CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t);
            """

        private static func observers(_ mark: String) -> String {
            """
            CREATE FUNCTION observe() RETURNS event_trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE LOG '\(mark) %:%:%', tg_event, current_database(), tg_tag; END $$;
            """
                + ["ddl_command_start", "ddl_command_end", "sql_drop", "table_rewrite"].map {
                    "CREATE EVENT TRIGGER on_\($0) ON \($0) EXECUTE FUNCTION observe();"
                }.joined(separator: "\n")
        }

        /// Which are mentioned, with everything that tells which they are.
        @Test(arguments: try await Servers.outermost())
        func thoseThatFireAreNamed(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("event_named", on: binaries)
            try await database.psql(
                Self.table + """
                    CREATE SCHEMA guards;
                    CREATE FUNCTION guards.forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$
                        BEGIN RAISE EXCEPTION 'no % here', tg_tag; END $$;
                    CREATE EVENT TRIGGER "No Drops" ON ddl_command_start WHEN TAG IN ('drop table', 'DROP VIEW') EXECUTE FUNCTION guards.forbid();
                    CREATE EVENT TRIGGER lost ON sql_drop WHEN TAG IN ('DROP SCHEMA') EXECUTE FUNCTION guards.forbid();
                    CREATE EVENT TRIGGER lost_else ON sql_drop WHEN TAG IN ('DROP FUNCTION') EXECUTE FUNCTION guards.forbid();
                    CREATE EVENT TRIGGER elsewhere ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION guards.forbid();
                    CREATE EVENT TRIGGER off ON ddl_command_start EXECUTE FUNCTION guards.forbid();
                    ALTER EVENT TRIGGER off DISABLE;
                    CREATE EVENT TRIGGER on_replica ON ddl_command_start WHEN TAG IN ('DROP PUBLICATION') EXECUTE FUNCTION guards.forbid();
                    ALTER EVENT TRIGGER on_replica ENABLE REPLICA;
                    CREATE EVENT TRIGGER always ON ddl_command_start WHEN TAG IN ('DROP PUBLICATION') EXECUTE FUNCTION guards.forbid();
                    ALTER EVENT TRIGGER always ENABLE ALWAYS;
                    CREATE EVENT TRIGGER rewrites ON table_rewrite EXECUTE FUNCTION guards.forbid();
                    """)
            let request = MigrationRequest("t", "")
            let plan = try await Planning.dryRun(request, connections: database.options)
            let warnings = plan.warnings.filter { $0.contains("event trigger") }
            let expected = [
                #"the event trigger "No Drops" (ddl_command_start, tags DROP TABLE, DROP VIEW) calls guards.forbid() "#
                    + "for this migration's own statements as well: DROP TABLE; ",
                "the event trigger always (ddl_command_start, tags DROP PUBLICATION) calls guards.forbid() ",
                "the event trigger lost (sql_drop, tags DROP SCHEMA) calls guards.forbid() ",
            ]
            #expect(warnings.count == expected.count, "\(warnings)")
            for (warning, text) in zip(warnings, expected) { #expect(warning.hasPrefix(text), "\(warning)") }
            #expect(PlanReport(plan: plan).text.contains(expected[0]), "plan does not show it")
            // A default of the role or the database is what our sessions have.
            try await database.psql("ALTER DATABASE event_named SET session_replication_role = replica")
            let replica = try await Planning.dryRun(MigrationRequest("t", ""), connections: database.options)
            let names = replica.warnings.compactMap { $0.firstMatch(of: /event trigger (\S+)/).map { String($0.1) } }
            #expect(names == ["always", "on_replica"], "\(replica.warnings)")
        }
    }
}
