import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// A partitioned table under load: the load writes by the root's name, and its updates of the key move rows between partitions.
struct PartitionedOrders: Sendable {
    /// Rows that are there have `tenant` 0 to 300, the load's first 100,000 and more, a new one for every ten rows.
    static let columns = """
        tenant int, id int, amount numeric(12,2), note text, doc jsonb, code text, blob text, hits integer NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant, id)
        """

    static let rows = """
        INSERT INTO orders (tenant, id, amount, note, doc, code, blob)
        SELECT n / 10, n % 10, n / 7.0, 'note ' || n, ('{"a": ' || n || '}')::jsonb, 'old ' || n,
            CASE WHEN n % 20 = 0 THEN (SELECT string_agg(md5(n || 'x' || i), '') FROM generate_series(1, 100) i) END
        FROM generate_series(1, 3000) n;
        """

    static func table() throws -> WorkloadTable {
        try WorkloadTable(
            QualifiedName(schema: "public", name: "orders"),
            key: [KeyColumn("tenant", .quotient(by: 10, from: 100_000)), KeyColumn("id", .remainder(by: 10))],
            columns: [
                PayloadColumn("amount", .numeric(scale: 2)), PayloadColumn("note", .text(maxLength: 40)),
                PayloadColumn("doc", .json), PayloadColumn("code", .uniqueText(prefix: "c' \\")),
                PayloadColumn("blob", .toast(bytes: 2500...9000)), PayloadColumn("hits", .counter),
            ])
    }

    /// Whoever reads a table in the cut-over's statements fails it: what must not be read is not read.
    ///
    /// - Parameter except: names of tables that may be read.
    static func noScans(except: [String] = []) -> String {
        let names = except.map(Quoting.literal).joined(separator: ", ")
        return """
            CREATE FUNCTION guard_scans() RETURNS event_trigger LANGUAGE plpgsql AS $$
            DECLARE scans text;
            BEGIN
                IF current_setting('application_name') <> 'shadow-alter cut-over' THEN RETURN; END IF;
                SELECT coalesce(string_agg(relname || ' ' || pg_stat_get_xact_numscans(oid), ', ' ORDER BY oid), '') INTO scans
                FROM pg_catalog.pg_class WHERE relkind = 'r' AND relnamespace <> 'pg_catalog'::regnamespace
                    AND relnamespace <> 'shadow_alter'::regnamespace AND pg_stat_get_xact_numscans(oid) > 0
                    AND relname <> ALL (ARRAY[\(names)]::name[]);
                IF tg_event = 'ddl_command_start' THEN
                    PERFORM set_config('guard.scans', scans, true);
                ELSIF scans <> current_setting('guard.scans') THEN
                    RAISE EXCEPTION '% reads a table: % and then %', tg_tag, current_setting('guard.scans'), scans;
                END IF;
            END $$;
            CREATE EVENT TRIGGER guard_start ON ddl_command_start EXECUTE FUNCTION guard_scans();
            CREATE EVENT TRIGGER guard_end ON ddl_command_end EXECUTE FUNCTION guard_scans();
            """
    }

    static let noGuard = "DROP EVENT TRIGGER guard_start; DROP EVENT TRIGGER guard_end; DROP FUNCTION guard_scans"

    /// What pg_dump says of both databases, without their rows.
    static func expectSameDefinition(
        _ database: TestDatabase, _ twin: TestDatabase, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var dumps: [[String]] = []
        for name in [database.name, twin.name] {
            let dump = try await database.server.dump(database: name, arguments: ["--schema=public"])
            dumps.append(dump.split(separator: "\n").map(String.init))
        }
        let difference = dumps[0].difference(from: dumps[1])
        #expect(difference.isEmpty, "pg_dump differs by \(difference)", sourceLocation: sourceLocation)
        // What pg_dump does not tell: what is inherited and from whom.
        let facts = """
            SELECT 'index ' || i.inhrelid::regclass || ' of ' || i.inhparent::regclass FROM pg_inherits i
            -- Adding a leaf's primary key marks its columns' NOT NULL as the leaf's own, from 18 on; restoring a dump does the same.
            UNION ALL SELECT format('constraint %s of %s %s %s', k.conname, k.conrelid::regclass, k.conislocal OR k.contype = 'n', k.coninhcount)
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'public'::regnamespace
            UNION ALL SELECT format('column %s of %s %s %s %s', a.attname, a.attrelid::regclass, a.attislocal, a.attinhcount, a.attidentity)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT attisdropped
            UNION ALL SELECT format('trigger %s of %s %s %s', t.tgname, t.tgrelid::regclass, t.tgenabled, p.tgrelid::regclass)
            FROM pg_trigger t LEFT JOIN pg_trigger p ON p.oid = t.tgparentid WHERE NOT t.tgisinternal
            UNION ALL SELECT format('partition %s %s %s', c.oid::regclass, pg_get_expr(c.relpartbound, c.oid), pg_get_partition_constraintdef(c.oid))
            FROM pg_class c WHERE c.relispartition ORDER BY 1
            """
        let session = try await TestSession(database)
        let twinSession = try await TestSession(twin)
        let path = "SET search_path = ''"
        try await session.execute(path)
        try await twinSession.execute(path)
        let own = try await session.column(facts).filter { !$0.contains("_blue.") }.map(withoutOIDs)
        let other = try await twinSession.column(facts).map(withoutOIDs)
        let facing = own.difference(from: other)
        #expect(facing.isEmpty, "the catalogs differ by \(facing)", sourceLocation: sourceLocation)
        await session.close()
        await twinSession.close()
    }

    /// The constraint of a hash partition names its table by the OID.
    private static func withoutOIDs(_ fact: String) -> String {
        fact.replacing(#/'\d+'::oid/#, with: "the table")
    }
}
