import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Afterwards it is as if the change had never been: whatever hangs on the tables comes back with them.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct RollbackDefinitionTests {
        static let changes = [
            "ALTER id TYPE bigint",
            "DROP nickname",
            "ADD added int NOT NULL DEFAULT 5, ADD \"also Added\" text COLLATE \"C\"",
            "RENAME nickname TO \"Nick \"\"name\"",
        ]

        @Test(arguments: try await Servers.outermost(), changes)
        func nothingDiffersAfterARollback(_ binaries: ServerBinaries, _ change: String) async throws {
            let database = try await TestDatabase.create("sink_rollback", on: binaries)
            try await KitchenSink().create(in: database)
            try await database.psql("REFRESH MATERIALIZED VIEW shop.sums")
            let before = try await SchemaOracle(database: database).describe()
            let load = SinkLoad(database)
            do {
                let running = RunningMigration(
                    MigrationRequest("shop.orders", change), database, MigrationOptions.quick.baking())
                try await running.untilReversible(database, "orders")
                try await Steer(connections: database.options).run(.rollback, "orders")
                try await running.expectRolledBack()
            } catch {
                _ = try? await load.stop()
                throw error
            }
            try await load.stop()
            try await database.psql("REFRESH MATERIALIZED VIEW shop.sums")
            let found = before.differences(to: try await SchemaOracle(database: database).describe())
            #expect(found.isEmpty, "\(binaries), \(change): \(found.report)")
        }

        /// The change that the tool is for, forward and back: a key together with the foreign key that points at it.
        @Test(arguments: try await Servers.outermost())
        func aKeyAndItsForeignKey(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("rollback_family", on: binaries)
            try await database.psql(FamilyLoad.setup)
            let before = try await DefinitionOracle(database: database).read()
            let load = FamilyLoad.start(database)
            let running = RunningMigration(
                MigrationRequest(
                    change: .script(
                        "ALTER TABLE parent ALTER id TYPE bigint; ALTER TABLE child ALTER id TYPE bigint, ALTER parent TYPE bigint;"
                    ),
                    name: "family"), database, MigrationOptions.quick.baking())
            try await running.untilReversible(database, "family")
            try await Steer(connections: database.options).run(.rollback, "family")
            try await running.expectRolledBack()
            try await load.stopAndVerify()
            try await DefinitionOracle.expectSame(DefinitionOracle(database: database).read(), before)
            let session = try await TestSession(database)
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
