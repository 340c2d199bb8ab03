import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// What stands in the way of a published table is refused by name, with nothing touched.
@Suite struct PublicationRefusalTests {
    private static let setup = """
        CREATE TABLE item (id int PRIMARY KEY, day date NOT NULL DEFAULT '2025-01-01', value text, weight text);
        INSERT INTO item VALUES (1, '2025-01-01', 'x', '7');
        """
    private static let narrow =
        "CREATE PUBLICATION p FOR TABLE item (id, value) WHERE (weight > '5') WITH (publish = 'insert');"

    private static func parts(_ key: String = "id, day") -> MigrationRequest {
        MigrationRequest(
            change: .script(
                """
                DROP TABLE item; CREATE TABLE item (id int, day date NOT NULL, value text, weight text, PRIMARY KEY (\(key)))
                PARTITION BY RANGE (day); CREATE TABLE item_all PARTITION OF item DEFAULT
                """))
    }

    private static func alter(_ clauses: String, _ strategy: MigrationRequest.Strategy = .shadow) -> MigrationRequest {
        MigrationRequest(change: .alter(table: "item", clauses: clauses), strategy: strategy)
    }

    @Test(arguments: [
        (narrow, alter("DROP value"), "publication-column", "drops the column value, which the publication p uses"),
        (narrow, alter("RENAME value TO text"), "publication-column", "rename the column in a step of its own"),
        (
            narrow, alter("DROP weight"), "publication-column",
            "ALTER PUBLICATION \"p\" DROP TABLE ONLY \"public\".\"item\";"
        ),
        // In a change that PostgreSQL makes itself the column may be renamed.
        (narrow, alter("DROP value", .native), "publication-column", "drops the column value"),
        (
            narrow, alter("ALTER weight TYPE int USING weight::int"), "publication-not-possible",
            "operator does not exist"
        ),
        (
            "CREATE PUBLICATION p FOR TABLE item;", parts(), "publication-partitions",
            "publish_via_partition_root = true"
        ),
        (
            "CREATE PUBLICATION p FOR TABLE item (id, value) WITH (publish_via_partition_root);", parts(),
            "publication-not-possible", "replica identity"
        ),
    ])
    func refused(publication: String, request: MigrationRequest, code: String, says: String) async throws {
        try await PlanServers.each(setup: Self.setup + publication) { database in
            let refusals = try await database.refusals(request)
            #expect(refusals.map(\.code) == [code], "\(request): \(refusals)")
            #expect(refusals.contains { $0.description.contains(says) }, "\(request): \(refusals)")
        }
    }

    @Test func aColumnIsRenamedNatively() async throws {
        try await PlanServers.each(setup: Self.setup + Self.narrow) { database in
            let plan = try await database.dryRun(Self.alter("RENAME value TO \"Text\"", .auto))
            #expect(plan.strategy == .native)
            #expect(plan.subscribers.count == 1)
            #expect(
                plan.subscribers.first?.contains("their column value must be called Text from the cut-over on") == true)
        }
    }

    /// An allowed publication of the schema would send the partitions under their names as well.
    @Test func widePublications() async throws {
        try await PlanServers.each(setup: Self.setup + "CREATE PUBLICATION \"All\" FOR ALL TABLES") { database in
            var request = Self.parts()
            #expect(try await database.refusals(request).map(\.code) == ["published-all-tables"])
            request.allowedPublications = ["all"]
            #expect(try await database.refusals(request).map(\.code) == ["published-all-tables"])
            request.allowedPublications = ["All"]
            #expect(try await database.refusals(request).map(\.code) == ["publication-partitions"])
            try await database.execute("ALTER PUBLICATION \"All\" SET (publish_via_partition_root = true)")
            let plan = try await database.dryRun(request)
            #expect(plan.subscribers.count == 2, "\(plan.subscribers)")
            let report = PlanReport(plan: plan).text
            #expect(report.contains("subscribers\n  - public.item in the publication \"All\""), "\(report)")
        }
    }

    /// Only a publication's owner may take tables out of it and put them in.
    @Test func publicationsOfOthers() async throws {
        let setup = """
            DROP ROLE IF EXISTS publication_migrator; CREATE ROLE publication_migrator LOGIN REPLICATION;
            GRANT USAGE, CREATE ON SCHEMA public TO publication_migrator; ALTER TABLE item OWNER TO publication_migrator;
            DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO publication_migrator', current_database()); END $$;
            CREATE PUBLICATION p FOR TABLE item;
            """
        try await PlanServers.each(setup: Self.setup + setup) { database in
            let control = try await PgConnection.connect(database.options)
            let connections = ConnectionOptions(
                conninfo: database.server.conninfo(database: database.name, user: "publication_migrator"))
            let refusals = try await Untouched.refusals(
                Self.alter(""), connections: connections, control: control, sourceLocation: #_sourceLocation)
            #expect(refusals.map(\.code) == ["publication-owner"])
            #expect(refusals.first?.what.contains("publication p of postgres") == true)
            try await control.execute(
                "ALTER TABLE item OWNER TO postgres; DROP OWNED BY publication_migrator; DROP ROLE publication_migrator"
            )
            await control.close()
        }
    }
}
