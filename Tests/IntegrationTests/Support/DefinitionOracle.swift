import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// Everything that a database's objects are: what `pg_dump` prints, and what it does not print.
struct DefinitionOracle: Sendable {
    let database: TestDatabase

    /// Line by line. Without the schemas that a migration has for itself.
    func read() async throws -> [String] {
        let dump = try await database.server.dump(
            database: database.name, arguments: ["--exclude-schema=shadow_alter", "--exclude-schema=*_blue"])
        let lines = dump.split(separator: "\n").map(String.init)
        return lines + (try await database.psql(Self.facts).split(separator: "\n").map(String.init))
    }

    /// Catalog facts beside the dump. No OID, no physical file, no name that is made from an OID.
    private static let facts = """
        SET search_path = '';
        SELECT concat_ws(' ', 'foreign key', k.conrelid::pg_catalog.regclass, k.conname, k.confrelid::pg_catalog.regclass, k.convalidated,
            k.conindid::pg_catalog.regclass, k.conparentid <> 0, pg_catalog.pg_get_constraintdef(k.oid))
        FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 AND k.connamespace IS DISTINCT FROM pg_catalog.to_regnamespace('shadow_alter')
        ORDER BY 1;
        SELECT concat_ws(' ', 'internal trigger', t.tgrelid::pg_catalog.regclass, k.conname, t.tgfoid::pg_catalog.regproc, t.tgtype, t.tgenabled,
            t.tgdeferrable, t.tginitdeferred, t.tgparentid <> 0)
        FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE t.tgisinternal AND n.nspname !~ '_blue$|^shadow_alter$' ORDER BY 1;
        SELECT concat_ws(' ', 'trigger', t.tgrelid::pg_catalog.regclass, t.tgname, t.tgenabled, t.tgtype,
            pg_catalog.pg_get_triggerdef(t.oid), pg_catalog.obj_description(t.oid, 'pg_trigger'))
        FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal ORDER BY 1;
        SELECT concat_ws(' ', 'policy', p.polrelid::pg_catalog.regclass, p.polname, p.polcmd, p.polpermissive, p.polroles::pg_catalog.regrole[],
            pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '_blue$' ORDER BY 1;
        SELECT concat_ws(' ', 'table', c.oid::pg_catalog.regclass, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relhastriggers,
            c.relhasrules, c.relacl, c.relowner::pg_catalog.regrole)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_|_blue$|^information_schema$|^shadow_alter$' ORDER BY 1;
        SELECT concat_ws(' ', 'published', t.*) FROM pg_catalog.pg_publication_tables t ORDER BY 1;
        SELECT concat_ws(' ', 'extension', pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), e.extname, d.deptype)
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.objid >= 16384 ORDER BY 1;
        SELECT concat_ws(' ', 'comment', pg_catalog.pg_describe_object(m.classoid, m.objoid, m.objsubid), m.description)
        FROM pg_catalog.pg_description m
        WHERE m.objoid >= 16384 AND pg_catalog.pg_describe_object(m.classoid, m.objoid, m.objsubid) !~ '_blue([.]|$)' ORDER BY 1;
        """

    /// The two are the same, or the difference is shown.
    static func expectSame(
        _ found: [String], _ wanted: [String], _ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let difference = found.difference(from: wanted).map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }
        let isSame = difference.isEmpty
        #expect(isSame, "\(comment)\n\(difference.joined(separator: "\n"))", sourceLocation: sourceLocation)
        #expect(wanted.count > 20, "the oracle has read next to nothing", sourceLocation: sourceLocation)
    }
}

extension TestDatabase {
    /// A rebuild leaves no difference in the whole database, neither before nor after `finalize`.
    func expectRebuildLeavesNoDifference(
        _ table: String, name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let oracle = DefinitionOracle(database: self)
        let before = try await oracle.read()
        let running = RunningMigration(MigrationRequest(table, "", name: name), self)
        try await running.summary()
        DefinitionOracle.expectSame(
            try await oracle.read(), before, "after the cut-over on \(server)", sourceLocation: sourceLocation)
        try await Finalize(connections: options).run(name)
        DefinitionOracle.expectSame(
            try await oracle.read(), before, "after finalize on \(server)", sourceLocation: sourceLocation)
    }

    /// After the migration the whole database is as a twin in which PostgreSQL itself has made the change.
    func expectSameAsNative(
        setup: String, _ table: String, _ clauses: String, name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let twin = try await TestDatabase.create(self.name + "_twin", in: server)
        try await twin.psql(setup)
        try await twin.psql("ALTER TABLE \(table) \(clauses)")
        let running = RunningMigration(MigrationRequest(table, clauses, name: name), self)
        try await running.summary()
        try await Finalize(connections: options).run(name)
        DefinitionOracle.expectSame(
            try await DefinitionOracle(database: self).read(), try await DefinitionOracle(database: twin).read(),
            "against a native ALTER TABLE on \(server)", sourceLocation: sourceLocation)
    }

    /// What `plan` and `run` both refuse the request for. Neither may have touched anything.
    func refusals(
        _ request: MigrationRequest, options: ConnectionOptions? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Refusal] {
        let session = try await TestSession(self)
        let refusals = try await Untouched.refusals(
            request, connections: options ?? self.options, control: session.connection, sourceLocation: sourceLocation)
        await session.close()
        return refusals
    }
}
