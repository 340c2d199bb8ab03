/// A table that is refused: how it comes about, and what the refusal has to say.
struct PreflightCase: Sendable {
    let name: String
    /// Runs as the superuser with a schema of its own, `s`, first in the search path.
    let setup: String
    var table = "s.t"
    /// The codes of all refusals, in their order: none is missing, and none is there without a cause.
    let codes: [String]
    /// Every refusal of the table begins with this name.
    var object = "s.t"
    /// What some of the refusals have to contain: the names of the objects, the commands that mend it.
    let says: [String]
    /// Undoes what does not lie in the schema.
    var teardown = ""
    var since = 14

}

extension PreflightCase {
    static let all = kinds + properties + identities + published + dependents + types + sequences

    static let plain = "CREATE TABLE t (id int PRIMARY KEY, a int, b text);"

    private static let kinds: [Self] = [
        Self(
            name: "partitioned partition",
            setup: """
                CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
                CREATE TABLE t PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id)
                """, codes: ["partitioned-partition"], says: ["itself a partition of s.p", "--table s.p"]),
        Self(
            name: "foreign table below a partitioned table",
            setup: """
                CREATE FOREIGN DATA WRAPPER preflight_wrapper; CREATE SERVER preflight_server FOREIGN DATA WRAPPER preflight_wrapper;
                CREATE TABLE t (id int) PARTITION BY RANGE (id);
                CREATE FOREIGN TABLE f PARTITION OF t FOR VALUES FROM (0) TO (10) SERVER preflight_server
                """, codes: ["foreign-partition"], says: ["s.f is a foreign table", "DETACH PARTITION s.f"],
            teardown: "DROP FOREIGN DATA WRAPPER preflight_wrapper CASCADE"),
        Self(
            name: "partitions without a key",
            setup: """
                CREATE TABLE t (id int, a int) PARTITION BY RANGE (id);
                CREATE TABLE t1 PARTITION OF t (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (10);
                CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)
                """, codes: ["no-primary-key"], object: "s.t2", says: ["s.t2"]),
        Self(name: "view", setup: "CREATE VIEW t AS SELECT 1 AS id", codes: ["view"], says: ["is a view"]),
        Self(
            name: "materialised view", setup: "CREATE MATERIALIZED VIEW t AS SELECT 1 AS id",
            codes: ["materialized-view"], says: ["materialised view"]),
        Self(
            name: "foreign table",
            setup: """
                CREATE FOREIGN DATA WRAPPER preflight_wrapper; CREATE SERVER preflight_server FOREIGN DATA WRAPPER
                preflight_wrapper; CREATE FOREIGN TABLE t (id int) SERVER preflight_server
                """, codes: ["foreign-table"], says: ["foreign table"],
            teardown: "DROP FOREIGN DATA WRAPPER preflight_wrapper CASCADE"),
        Self(name: "sequence", setup: "CREATE SEQUENCE t", codes: ["sequence"], says: ["is a sequence"]),
        Self(
            name: "index", setup: plain + "CREATE INDEX i ON t (a)", table: "s.i", codes: ["index"], object: "s.i",
            says: ["is an index"]),
        Self(
            name: "composite type", setup: "CREATE TYPE t AS (id int)", codes: ["composite-type"],
            says: ["is a composite type"]),
        Self(
            name: "catalog", setup: "", table: "pg_catalog.pg_proc", codes: ["system-table"],
            object: "pg_catalog.pg_proc", says: ["PostgreSQL's own"]),
        Self(
            name: "information schema", setup: "", table: "information_schema.sql_features",
            codes: ["system-table"], object: "information_schema.sql_features",
            says: ["PostgreSQL's own"]),
        Self(
            name: "unlogged", setup: "CREATE UNLOGGED TABLE t (id int PRIMARY KEY)", codes: ["unlogged-table"],
            says: ["ALTER TABLE s.t SET LOGGED;"]),
        Self(
            name: "unknown table", setup: plain + #"CREATE TABLE "T2" (id int)"#, table: "s.t2",
            codes: ["no-such-table"],
            object: "s.t2", says: [#"did you mean s."T2"?"#]),
        Self(
            name: "unknown schema", setup: plain, table: "nowhere.t", codes: ["no-such-schema"], object: "nowhere.t",
            says: ["no schema nowhere", "did you mean s.t?"]),
        Self(
            name: "name without schema", setup: "", table: "nothing", codes: ["no-such-table"], object: "nothing",
            says: ["search_path"]),
        Self(
            name: "syntax error in the name", setup: "", table: #"s."t"#, codes: ["bad-table-name"], object: #"s."t"#,
            says: ["is not the name of a table"]),
        Self(
            name: "another database", setup: "", table: "elsewhere.s.t", codes: ["bad-table-name"],
            object: "elsewhere.s.t", says: ["cross-database"]),
    ]

    private static let properties: [Self] = [
        Self(
            name: "partition of a table with foreign keys",
            setup: """
                CREATE TABLE c (id int PRIMARY KEY);
                CREATE TABLE p (id int PRIMARY KEY, c int REFERENCES c) PARTITION BY RANGE (id);
                CREATE TABLE t PARTITION OF p FOR VALUES FROM (0) TO (10);
                CREATE TABLE o (p int REFERENCES p)
                """, codes: ["partition-foreign-key", "partition-referenced"],
            says: [
                "s.p has the foreign key p_c_fkey to s.c", "s.o has the foreign key o_p_fkey to s.p", "--table s.p",
            ]),
        Self(
            name: "another access method",
            setup: """
                CREATE ACCESS METHOD preflight_heap TYPE TABLE HANDLER heap_tableam_handler;
                CREATE TABLE t (id int PRIMARY KEY) USING preflight_heap
                """, codes: ["not-a-heap"], says: ["preflight_heap"],
            teardown: "DROP ACCESS METHOD preflight_heap CASCADE"),
        Self(
            name: "inherits", setup: "CREATE TABLE p (id int); CREATE TABLE t (PRIMARY KEY (id)) INHERITS (p)",
            codes: ["inherits"], says: ["ALTER TABLE s.t NO INHERIT s.p;"]),
        Self(
            name: "inherited from", setup: plain + "CREATE TABLE c () INHERITS (t)", codes: ["inherited-from"],
            says: ["ALTER TABLE s.c NO INHERIT s.t;"]),
        Self(
            name: "typed table", setup: "CREATE TYPE y AS (id int); CREATE TABLE t OF y (PRIMARY KEY (id))",
            codes: ["typed-table"], says: ["s.y", "ALTER TABLE s.t NOT OF;"]),
        Self(
            name: "extension's member", setup: plain + "ALTER EXTENSION plpgsql ADD TABLE t",
            codes: ["extension-member"],
            says: ["ALTER EXTENSION plpgsql DROP TABLE s.t;"], teardown: "ALTER EXTENSION plpgsql DROP TABLE s.t"),
        Self(
            name: "invalid index",
            setup: plain
                + "CREATE INDEX i ON t (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 's.i'::regclass",
            codes: ["invalid-index"], object: "s.i", says: ["DROP INDEX CONCURRENTLY s.i;"]),
        Self(
            name: "security labels",
            setup: plain + """
                INSERT INTO pg_seclabel VALUES ('s.t'::regclass, 'pg_class'::regclass, 0, 'marker', 'secret'),
                    ('s.t'::regclass, 'pg_class'::regclass, 2, 'marker', 'secret')
                """, codes: ["security-label", "security-label"],
            says: [
                "SECURITY LABEL FOR marker ON TABLE s.t IS NULL;", "SECURITY LABEL FOR marker ON COLUMN s.t.a IS NULL;",
            ],
            teardown: "DELETE FROM pg_seclabel"),
        Self(
            name: "security labels on what belongs to it",
            setup: """
                CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a serial, CONSTRAINT k CHECK (a > 0));
                CREATE POLICY p ON t; CREATE STATISTICS st ON id, a FROM t;
                INSERT INTO pg_seclabel (classoid, objoid, objsubid, provider, label)
                    SELECT 'pg_class'::regclass, s::regclass::oid, 0, 'marker', 'secret' FROM unnest('{s.t_id_seq,s.t_a_seq,s.t_pkey}'::text[]) s
                    UNION ALL SELECT 'pg_type'::regclass, t::regtype::oid, 0, 'marker', 'secret' FROM unnest('{s.t,s.t[]}'::text[]) t
                    UNION ALL SELECT 'pg_constraint'::regclass, oid, 0, 'marker', 'secret' FROM pg_constraint WHERE conname = 'k'
                    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 0, 'marker', 'secret' FROM pg_statistic_ext WHERE stxname = 'st'
                    UNION ALL SELECT 'pg_policy'::regclass, oid, 0, 'marker', 'secret' FROM pg_policy WHERE polname = 'p'
                """, codes: [String](repeating: "security-label", count: 8),
            says: [
                "SECURITY LABEL FOR marker ON SEQUENCE s.t_id_seq IS NULL;",
                "SECURITY LABEL FOR marker ON SEQUENCE s.t_a_seq IS NULL;", "on INDEX s.t_pkey",
                "SECURITY LABEL FOR marker ON TYPE s.t IS NULL;", "SECURITY LABEL FOR marker ON TYPE s.t[] IS NULL;",
                "on TABLE CONSTRAINT k on s.t", "on POLICY p on s.t", "on STATISTICS OBJECT s.st",
            ], teardown: "DELETE FROM pg_seclabel"),
        Self(
            name: "names that need quoting",
            setup:
                #"CREATE TABLE "Or""der s" (id int PRIMARY KEY); CREATE TABLE "V" (x "Or""der s")"#,
            table: #"s."Or""der s""#, codes: ["row-type-used"], object: #"s."Or""der s""#,
            says: [#"table column s."V".x"#]),
    ]

    private static let identities: [Self] = [
        Self(
            name: "REPLICA IDENTITY NOTHING", setup: plain + "ALTER TABLE t REPLICA IDENTITY NOTHING",
            codes: ["replica-identity-nothing"], says: ["ALTER TABLE s.t REPLICA IDENTITY DEFAULT;"]),
        Self(
            name: "no primary key", setup: "CREATE TABLE t (id int)", codes: ["no-primary-key"],
            says: ["ALTER TABLE s.t ADD PRIMARY KEY"]),
        Self(
            name: "no primary key, but a unique index",
            setup: "CREATE TABLE t (id int NOT NULL); CREATE UNIQUE INDEX u ON t (id)", codes: ["no-primary-key"],
            says: ["ALTER TABLE s.t REPLICA IDENTITY USING INDEX u;"]),
        Self(
            name: "deferrable primary key", setup: "CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)",
            codes: ["deferrable-primary-key"], says: ["t_pkey", "REPLICA IDENTITY USING INDEX"]),
        Self(
            name: "identity's index dropped",
            setup: plain + """
                ALTER TABLE t ALTER a SET NOT NULL; CREATE UNIQUE INDEX u ON t (a);
                ALTER TABLE t REPLICA IDENTITY USING INDEX u; DROP INDEX u
                """, codes: ["replica-identity-index"], says: ["ALTER TABLE s.t REPLICA IDENTITY DEFAULT;"]),
        Self(
            name: "identity's index invalid",
            setup: plain + """
                ALTER TABLE t ALTER a SET NOT NULL; CREATE UNIQUE INDEX u ON t (a);
                ALTER TABLE t REPLICA IDENTITY USING INDEX u;
                UPDATE pg_index SET indisvalid = false WHERE indexrelid = 's.u'::regclass
                """, codes: ["replica-identity-index", "invalid-index"], object: "s.",
            says: ["ALTER TABLE s.t REPLICA IDENTITY DEFAULT;"]),
        Self(
            name: "FULL without a key",
            setup: """
                CREATE TABLE t (id int NOT NULL, a int UNIQUE, b int NOT NULL UNIQUE DEFERRABLE);
                CREATE UNIQUE INDEX ON t (id) WHERE a > 0; CREATE UNIQUE INDEX ON t ((id + 1));
                CREATE UNIQUE INDEX ON t (a) INCLUDE (id); ALTER TABLE t REPLICA IDENTITY FULL
                """, codes: ["no-unique-key"], says: ["ALTER TABLE s.t ADD PRIMARY KEY"]),
    ]

    private static let published: [Self] = [
        Self(
            name: "publication of all tables", setup: plain + "CREATE PUBLICATION preflight FOR ALL TABLES",
            codes: ["published-all-tables"], says: ["--allow-publication preflight", "schema shadow_alter"],
            teardown: "DROP PUBLICATION preflight"),
        Self(
            name: "publication of the schema", setup: plain + "CREATE PUBLICATION preflight FOR TABLES IN SCHEMA s",
            codes: ["published-schema"],
            says: ["ALTER PUBLICATION preflight DROP TABLES IN SCHEMA s;", "--allow-publication preflight"],
            teardown: "DROP PUBLICATION preflight", since: 15),
        Self(
            name: "subscription",
            setup: plain + """
                CREATE SUBSCRIPTION preflight CONNECTION 'dbname=none' PUBLICATION none
                    WITH (connect = false, slot_name = NONE, enabled = false);
                INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
                    SELECT oid, 's.t'::regclass, 'r' FROM pg_subscription
                """, codes: ["subscribed"], says: ["subscription preflight"], teardown: "DROP SUBSCRIPTION preflight"),
    ]
}
