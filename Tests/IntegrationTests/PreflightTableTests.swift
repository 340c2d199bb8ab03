import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension PreflightTests {
    /// Every refusal of a table, on every version: by its code, with the names, and with nothing touched.
    struct Tables {
        @Test func everyRefusal() async throws {
            for database in try await PreflightServers.databases(named: "refusals") {
                let control = try await database.connect()
                for refused in PreflightCase.all where refused.since <= database.server.version {
                    try await check(refused, in: database, control)
                }
                await control.close()
            }
        }

        private func check(
            _ refused: PreflightCase, in database: PreflightDatabase, _ control: PgConnection
        ) async throws {
            let comment = Comment(rawValue: "\(refused.name) on \(database.server.binaries)")
            try await control.execute("CREATE SCHEMA s; SET search_path = s; \(refused.setup)")
            let refusals = try await database.refusals(refused.table, control)
            #expect(refusals.map(\.code) == refused.codes, comment)
            for refusal in refusals {
                #expect(refusal.object.hasPrefix(refused.object), comment)
                #expect(!refusal.why.isEmpty && !refusal.fix.isEmpty, comment)
            }
            let text = refusals.map(\.description).joined(separator: "\n")
            for word in refused.says {
                #expect(text.contains(word), "\(comment): \(word) is not in\n\(text)")
            }
            try await control.execute("\(refused.teardown); DROP SCHEMA s CASCADE")
        }

        @Test func toastTable() async throws {
            for database in try await PreflightServers.databases(named: "toast") {
                let control = try await database.connect()
                try await control.execute("CREATE TABLE t (id int PRIMARY KEY, b text)")
                let name: String = try await control.query(
                    "SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = 't'::regclass"
                ).single().value()
                #expect(try await database.refusals(name, control).map(\.code) == ["toast-table"])
                await control.close()
            }
        }

        @Test func temporaryTable() async throws {
            for database in try await PreflightServers.databases(named: "temporary") {
                let control = try await database.connect()
                try await control.execute("CREATE TEMPORARY TABLE t (id int PRIMARY KEY)")
                let name: String = try await control.query(
                    "SELECT format('%I.t', pg_my_temp_schema()::regnamespace)"
                ).single().value()
                let refusals = try await database.refusals(name, control)
                #expect(refusals.map(\.code) == ["temporary-table"])
                #expect(refusals.map(\.object) == [name])
                await control.close()
            }
        }

        @Test func severalAtOnce() async throws {
            for database in try await PreflightServers.databases(named: "several") {
                let control = try await database.connect()
                let empty = try await Untouched.state(control)
                try await control.execute(
                    "CREATE UNLOGGED TABLE t (id int); CREATE TABLE o (x t)"
                )
                #expect(try await Untouched.state(control) != empty, "the state shows no change")
                let refusals = try await database.refusals("t", control)
                #expect(
                    refusals.map(\.code) == ["unlogged-table", "no-primary-key", "row-type-used"])
                #expect(refusals.allSatisfy { $0.object == "public.t" })
                await control.close()
            }
        }

        /// What a version can carry over is not refused.
        @Test func nothingSpecial() async throws {
            for database in try await PreflightServers.databases(named: "ordinary") {
                let control = try await database.connect()
                try await control.execute(
                    """
                    CREATE TABLE plain (id int PRIMARY KEY);
                    CREATE EXTENSION IF NOT EXISTS plpgsql;
                    CREATE TABLE full_of_it (
                        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial, gone int, a int NOT NULL CHECK (a > 0),
                        b text COLLATE "C" DEFAULT 'x', c int GENERATED ALWAYS AS (a * 2) STORED, d int4range, e jsonb,
                        UNIQUE (a, b) DEFERRABLE, EXCLUDE USING gist (d WITH &&), CHECK (a < 100) NOT VALID);
                    ALTER TABLE full_of_it DROP COLUMN gone;
                    ALTER TABLE full_of_it REPLICA IDENTITY FULL;
                    CREATE INDEX ON full_of_it (a) WHERE b IS NOT NULL;
                    CREATE INDEX ON full_of_it ((lower(b)));
                    CREATE STATISTICS st ON a, c FROM full_of_it;
                    COMMENT ON TABLE full_of_it IS 'a comment';
                    COMMENT ON COLUMN full_of_it.a IS 'another';
                    GRANT SELECT ON full_of_it TO PUBLIC;
                    CREATE PUBLICATION shadow_alter_0123456789abcdef FOR TABLE full_of_it; CREATE PUBLICATION usual FOR TABLE plain;
                    CREATE TABLE unrelated (id int PRIMARY KEY, p int REFERENCES unrelated);
                    CREATE VIEW v AS SELECT * FROM unrelated; CREATE VIEW w AS SELECT * FROM plain JOIN full_of_it USING (id);
                    CREATE FUNCTION f(plain) RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM w);
                    CREATE RULE r AS ON DELETE TO plain DO ALSO NOTHING;
                    """)
                for table in ["plain", "full_of_it"] {
                    let request = MigrationRequest(change: .alter(table: table, clauses: "ADD COLUMN note text"))
                    let refusals = try await control.rolledBackTransaction { try Preflight.check(request, on: $0) }
                    #expect(refusals == [], "\(table) on \(database.server)")
                }
                await control.close()
            }
        }
    }
}
