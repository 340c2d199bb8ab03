import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// PostgreSQL names the type of a table's arrays after the table, and gives it another name when that is taken; so two tables' names may meet.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct ArrayTypeTests {
        private static let types = """
            SELECT format('%s %s', t.typname, a.typname) FROM pg_type t JOIN pg_type a ON a.oid = t.typarray
            WHERE t.typnamespace = 'public'::regnamespace ORDER BY 1
            """

        /// The names are as they were, for each table alone and for all together.
        @Test(
            arguments: try await Servers.outermost(),
            [
                "ALTER TABLE foo_1 ALTER a TYPE bigint", "ALTER TABLE foo ALTER a TYPE bigint",
                "ALTER TABLE _foo ALTER a TYPE bigint", "ALTER TABLE bar ALTER a TYPE bigint",
                "ALTER TABLE _bar ALTER a TYPE bigint",
                "ALTER TABLE foo ALTER a TYPE bigint; ALTER TABLE _foo ALTER a TYPE bigint; ALTER TABLE __foo ALTER a TYPE bigint",
            ])
        func tablesWhoseNamesDifferByAnUnderscore(_ binaries: ServerBinaries, _ script: String) async throws {
            let database = try await TestDatabase.create("array_types", on: binaries)
            try await database.psql(
                ["_bar", "bar", "foo_1", "foo", "_foo", "__foo"].map {
                    "CREATE TABLE \($0) (id int PRIMARY KEY, a int); INSERT INTO \($0) VALUES (1, 1);"
                }.joined())
            let session = try await TestSession(database)
            let before = try await session.column(Self.types)
            #expect(before.contains { $0.hasPrefix("foo ") && $0 != "foo _foo" }, "\(before)")
            try await RunningMigration(
                MigrationRequest(change: .script(script), name: "foos", strategy: .shadow), database
            ).summary()
            try await Finalize(connections: database.options).run("foos")
            #expect(try await session.column(Self.types) == before)
            #expect(try await session.isTrue("(SELECT array_agg(f)::text = '{\"(1,1)\"}' FROM foo f)"))
            try await Remains(session: session).expectNothing()
            await session.close()
        }

        /// A partition that the change makes, and one that would have the name of another table's type of arrays.
        @Test(arguments: try await Servers.outermost())
        func aNewPartitionMayNotTakeIt(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("array_types_taken", on: binaries)
            try await database.psql(
                "CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE _part (x int); CREATE TYPE other AS (x int);")
            for (name, type) in [("part", "_part"), ("_other", "_other")] {
                let script = """
                    DROP TABLE item; CREATE TABLE item (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE \(name) PARTITION OF item DEFAULT;
                    """
                let refusals = try await database.refusals(MigrationRequest(change: .script(script)))
                #expect(refusals.map(\.code) == ["name-taken"])
                #expect(refusals.map(\.object) == ["public.\(type)"])
                #expect(refusals.first?.what.contains("has a type of this name") == true, "\(refusals)")
            }
        }

        @Test(arguments: try await Servers.outermost())
        func aMaterializedViewBesideSuchATable(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("array_types_view", on: binaries)
            try await database.psql(
                """
                CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE _sums (x int);
                CREATE MATERIALIZED VIEW sums AS SELECT sum(id) FROM item;
                """)
            let refusals = try await database.refusals(MigrationRequest("item", ""))
            #expect(refusals.map(\.code) == ["materialized-view-not-possible"])
            #expect(refusals.first?.why.contains("name _sums") == true, "\(refusals)")
        }
    }
}
