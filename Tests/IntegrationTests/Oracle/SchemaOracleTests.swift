import PgConnection
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// The oracle sees: what is not seen here would be forgotten in every other test.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct SchemaOracleTests {
        @Test(arguments: try await Servers.outermost())
        func everyDamageIsFound(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("oracle_damage", on: binaries)
            try await KitchenSink(sections: KitchenSink.Section.allCases).create(in: database)
            let connection = try await PgConnection.connect(
                database.options.with(["allow_system_table_mods": "on", "client_min_messages": "error"]))
            let whole = try await connection.rolledBackTransaction { try SchemaOracle.catalogs(on: $0) }
            #expect(whole.facts.count > 5000)
            for damage in Damage.all where damage.since <= database.server.version {
                let damaged = try await connection.rolledBackTransaction { connection in
                    try connection.execute(damage.sql)
                    return try SchemaOracle.catalogs(on: connection)
                }
                let found = whole.differences(to: damaged)
                #expect(
                    found.contains { $0.description.contains(damage.word) },
                    "\(binaries), \(damage): \(damage.word) is not in \(found.report)")
            }
            let again = try await connection.rolledBackTransaction { try SchemaOracle.catalogs(on: $0) }
            #expect(whole.differences(to: again) == [])
            await connection.close()
        }

        /// What lies outside of the catalogs that are read row by row, and that a copy of a database is no difference.
        @Test(arguments: try await Servers.outermost())
        func rowsPositionsAndDumps(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("oracle_rows", on: binaries)
            try await KitchenSink(sections: KitchenSink.Section.allCases).create(in: database)
            let twin = try await TestDatabase.create("oracle_twin", on: binaries)
            try await KitchenSink(sections: KitchenSink.Section.allCases).create(in: twin)
            var before = try await SchemaOracle(database: database).describe()
            let other = try await SchemaOracle(database: twin).describe()
            #expect(before.differences(to: other).isEmpty, "\(before.differences(to: other).report)")
            for (sql, subjects) in [
                ("UPDATE shop.orders SET notes = 'lost' WHERE id = 20", ["rows of table shop.orders"]),
                ("DELETE FROM shop.lines WHERE order_id = 33", ["rows of table shop.lines"]),
                ("SELECT nextval('shop.\"Order Numbers\"')", ["rows of sequence shop.\"Order Numbers\""]),
                (
                    "SELECT setval('shop.orders_serial_no_seq', 4711, false)",
                    ["rows of sequence shop.orders_serial_no_seq"]
                ),
                (
                    "REFRESH MATERIALIZED VIEW shop.empty",
                    [
                        "pg_class of materialized view shop.empty: relispopulated",
                        "rows of materialized view shop.empty",
                    ]
                ),
                (
                    "COMMENT ON COLUMN shop.orders.id IS 'another'",
                    [
                        "pg_description of table column shop.orders.id: comment",
                        "pg_dump of COLUMN orders.id; Type: COMMENT; Schema: shop; Owner: sink_owner",
                    ]
                ),
            ] {
                try await database.psql(sql)
                let after = try await SchemaOracle(database: database).describe()
                let found = Set(before.differences(to: after).map(\.subject.description))
                #expect(found.isSuperset(of: subjects), "\(sql): \(before.differences(to: after).report)")
                before = after
            }
        }
    }
}
