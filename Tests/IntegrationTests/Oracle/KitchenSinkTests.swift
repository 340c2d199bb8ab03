import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// Nothing is forgotten in the swap: before and after, and beside a database that PostgreSQL has changed itself.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct KitchenSinkTests {
        /// A rebuild leaves no difference at all.
        @Test(arguments: try await Servers.outermost())
        func nothingDiffersAfterARebuild(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("sink_rebuild", on: binaries)
            try await KitchenSink().create(in: database)
            // It was filled before the policies were there, which hide rows from its owner.
            try await database.psql("REFRESH MATERIALIZED VIEW shop.sums")
            let before = try await SchemaOracle(database: database).describe()
            try await migrate("", database)
            let after = try await SchemaOracle(database: database).describe()
            let found = before.differences(to: after)
            #expect(found.isEmpty, "\(binaries): \(found.report)")
        }

        /// Nor does it where the database's defaults change what text means, and what PostgreSQL prints.
        @Test(arguments: try await Servers.outermost())
        func nothingDiffersWhateverTheDefaults(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("sink_defaults", on: binaries)
            try await KitchenSink().create(in: database)
            try await database.psql("REFRESH MATERIALIZED VIEW shop.sums")
            for setting in Self.defaults { try await database.psql("ALTER DATABASE sink_defaults SET \(setting)") }
            let before = try await SchemaOracle(database: database).describe()
            try await migrate("", database)
            let found = before.differences(to: try await SchemaOracle(database: database).describe())
            #expect(found.isEmpty, "\(binaries): \(found.report)")
        }

        private static let defaults = [
            "DateStyle = 'German'", "TimeZone = 'Asia/Kolkata'", "IntervalStyle = 'iso_8601'",
            "extra_float_digits = -5",
            "bytea_output = 'escape'", "standard_conforming_strings = off", "escape_string_warning = off",
            "array_nulls = off", "transform_null_equals = on", "xmloption = 'document'",
            "default_statistics_target = 7", "search_path = pg_temp", "check_function_bodies = off",
            "client_encoding = 'LATIN1'", "client_min_messages = 'error'",
        ]

        /// A change leaves what it leaves when PostgreSQL makes it, before anything hangs on the table that would be in its way.
        @Test(arguments: try await Servers.outermost(), changes)
        func aChangeIsAsPostgresMakesIt(_ binaries: ServerBinaries, _ change: String) async throws {
            let database = try await TestDatabase.create("sink_change", on: binaries)
            try await KitchenSink().create(in: database)
            try await migrate(change, database)
            let twin = try await TestDatabase.create("sink_twin", on: binaries)
            try await KitchenSink().create(in: twin, change: "ALTER TABLE shop.orders \(change);")
            try await twin.psql("REFRESH MATERIALIZED VIEW shop.sums")
            let native = try await SchemaOracle(database: twin).describe()
            let found = native.differences(to: try await SchemaOracle(database: database).describe())
            #expect(found.isEmpty, "\(binaries), \(change): \(found.report)")
        }

        static let changes = [
            "ALTER id TYPE bigint",
            "ALTER \"Customer\" TYPE text COLLATE \"C\"",
            "ALTER weight TYPE numeric(12, 3)",
            "DROP nickname",
            "ADD added int NOT NULL DEFAULT 5, ADD \"also Added\" text COLLATE \"C\"",
            "RENAME nickname TO \"Nick \"\"name\"",
            "ALTER placed TYPE timestamptz(1) USING placed AT TIME ZONE 'UTC', ALTER placed SET DEFAULT '2021-01-01'",
            "ALTER id TYPE bigint, ALTER parent_id TYPE bigint, ALTER serial_no TYPE numeric, DROP nickname, ADD last date",
        ]

        private func migrate(_ clauses: String, _ database: TestDatabase) async throws {
            let load = SinkLoad(database)
            do {
                var options = MigrationOptions.quick
                options.niceRatio = 1
                let summary = try await RunningMigration(
                    MigrationRequest("shop.orders", clauses), database, options
                ).summary()
                #expect(summary.keysRefreshed > 0, "no row was changed during the migration")
            } catch {
                _ = try? await load.stop()
                throw error
            }
            try await load.stop()
            // It was filled in the middle of the load.
            try await database.psql("REFRESH MATERIALIZED VIEW shop.sums")
            try await Finalize(connections: database.options).run("orders")
        }
    }
}
