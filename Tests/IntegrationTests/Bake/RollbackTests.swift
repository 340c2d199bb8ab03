import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

extension MigrationOptions {
    /// The old tables follow until somebody decides.
    func baking(_ bake: Bake = .untilFinalize) -> Self {
        var options = self
        options.bake = bake
        return options
    }
}

extension RunningMigration {
    /// The tables are exchanged, the old ones follow, and could come back.
    func untilReversible(_ database: TestDatabase, _ name: String) async throws {
        let reader = StatusReader(connections: database.options)
        try await until("a rollback is possible") {
            guard let status = try? await reader.status(of: name), status.phase == .baking else { return false }
            return status.rollbackPossible
        }
    }

    /// The run's end by `rollback`.
    func expectRolledBack(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let error = await failure()
        #expect(
            (error as? MigrationError)?.code == .rolledBack, "\(String(describing: error)) \(log.all)",
            sourceLocation: sourceLocation)
    }
}

extension LiveMigrations {
    /// The old tables come back with everything that was written to the new ones.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct RollbackTests {
        private static let writes = """
            INSERT INTO item SELECT n, 'new ' || n, NULL FROM generate_series(10001, 10300) n;
            UPDATE item SET value = value || '!' WHERE id % 7 = 0;
            DELETE FROM item WHERE id % 11 = 0;
            UPDATE item SET id = id + 20000 WHERE id % 13 = 0;
            """

        @Test(arguments: try await Servers.outermost())
        func nothingIsLost(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("rollback_plain", on: binaries)
            let before = try await DefinitionOracle(database: items.database).read()
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            #expect(try await items.session.column("SELECT pg_typeof(id)::text FROM item LIMIT 1") == ["bigint"])
            try await Remains(session: items.session).expectBaking("item")
            try await items.session.execute(Self.writes)
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await items.session.execute("UPDATE item SET value = 'late' WHERE id = 1")
            try await running.expectRolledBack()
            try await Remains(session: items.session).expectNothing()
            try await DefinitionOracle.expectSame(DefinitionOracle(database: items.database).read(), before)
            try await items.session.execute(
                """
                CREATE TABLE twin AS SELECT n AS id, 'value ' || n AS value, repeat(md5(n::text), 4) AS filler
                FROM generate_series(1, \(Items.rows)) n;
                """)
            try await items.session.execute(
                Self.writes.replacing("item", with: "twin") + "UPDATE twin SET value = 'late' WHERE id = 1")
            #expect(
                try await items.session.column(
                    "(TABLE item EXCEPT ALL TABLE twin) UNION ALL (TABLE twin EXCEPT ALL TABLE item) LIMIT 5") == [])
            await items.close()
        }

        /// A row that the old definition does not take closes the way back for as long as it is there, and disturbs nobody.
        @Test(arguments: try await Servers.outermost())
        func aRowThatCannotGoBack(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("rollback_row", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            // In the middle of many that can.
            try await items.session.execute(
                """
                BEGIN; INSERT INTO item SELECT n, 'before' FROM generate_series(10001, 11000) n;
                INSERT INTO item VALUES (3000000000, 'too large'), (3000000001, 'another');
                INSERT INTO item SELECT n, 'after' FROM generate_series(11001, 12500) n; COMMIT;
                UPDATE item SET value = 'x' WHERE id = 2
                """)
            let reader = StatusReader(connections: items.database.options)
            try await running.until("the row is named") {
                let status = try await reader.status(of: "item")
                return !status.rollbackPossible && status.message.contains("300000000")
            }
            let message = try await reader.status(of: "item").message
            #expect(
                message.contains("public.item") && message.contains("integer out of range")
                    && message.contains("1 more"), "\(message)")
            // The others go on.
            try await running.until("other rows follow") {
                try await items.session.isTrue("(SELECT value FROM item_blue.item WHERE id = 2) = 'x'")
            }
            #expect(try await items.session.column("SELECT count(*) FROM item_blue.item WHERE id > 10000") == ["2500"])
            let refused = await #expect(throws: MigrationError.self) {
                try await Steer(connections: items.database.options).run(.rollback, "item")
            }
            #expect(
                refused?.code == .conflict && refused?.message.contains("300000000") == true,
                "\(String(describing: refused))")
            try await items.session.execute(
                "DELETE FROM item WHERE id = 3000000000; UPDATE item SET id = 6000 WHERE id = 3000000001")
            try await running.untilReversible(items.database, "item")
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await running.expectRolledBack()
            #expect(try await items.session.column("SELECT value FROM item WHERE id = 6000") == ["another"])
            #expect(try await items.session.value("SELECT count(*) FROM item", as: Int.self) == Items.rows + 2501)
            try await Remains(session: items.session).expectNothing()
            await items.close()
        }

        /// Such a row comes when the way back is decided already, and is set aside while the rollback waits for somebody: nothing that is left to
        /// be refreshed under the lock tells of it any more.
        @Test(arguments: try await Servers.outermost())
        func aRowThatWasSetAsideMeanwhile(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("rollback_aside", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.baking())
            try await running.untilReversible(items.database, "item")
            let reader = try await TestSession(items.database, "reader")
            try await reader.execute("BEGIN; SELECT count(*) FROM item")
            try await running.until("the transaction is older than an attempt's patience") {
                try await items.session.isTrue(
                    "(SELECT clock_timestamp() - xact_start > '1 s' FROM pg_stat_activity WHERE pid = \(reader.pid))")
            }
            try await Steer(connections: items.database.options).run(.rollback, "item")
            try await running.until("the rollback waits for the reader") {
                running.migration.status.snapshot.reason?.contains("session \(reader.pid) ") ?? false
            }
            try await items.session.execute("INSERT INTO item VALUES (3000000000, 'too large')")
            let parked = try #require(
                try await items.session.column(
                    """
                    SELECT format('shadow_alter.parked_%s', t.id) FROM shadow_alter.migrated_table t
                    JOIN shadow_alter.migration m ON m.id = t.migration_id WHERE m.forward_id IS NOT NULL
                    """
                ).first)
            try await running.until("the row is set aside") {
                try await items.session.isTrue("EXISTS (SELECT FROM \(parked))")
            }
            try await reader.execute("COMMIT")
            try await running.until("the rollback is given up") {
                running.log.contains("there is no rollback: a row has come in the last moment")
            }
            #expect(try await items.session.column("SELECT value FROM item WHERE id = 3000000000") == ["too large"])
            // It is still wanted.
            try await items.session.execute("DELETE FROM item WHERE id = 3000000000")
            try await running.expectRolledBack()
            #expect(try await items.session.value("SELECT count(*) FROM item", as: Int.self) == Items.rows)
            try await Remains(session: items.session).expectNothing()
            await reader.close()
            await items.close()
        }

        /// Without a bake there is nothing to go back to, and before the exchange nothing to go back from.
        @Test(arguments: try await Servers.outermost())
        func onlyFromABake(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("rollback_refused", on: binaries)
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)
            let steer = Steer(connections: items.database.options)
            let early = await #expect(throws: MigrationError.self) { try await steer.run(.rollback, "item") }
            #expect(early?.code == .conflict)
            try await steer.run(.cutOver, "item")
            try await running.summary()
            let late = await #expect(throws: MigrationError.self) { try await steer.run(.rollback, "item") }
            #expect(late?.code == .conflict && late?.advice.contains("--bake") == true, "\(String(describing: late))")
            try await items.finish()
        }
    }
}

extension String {
    fileprivate func replacing(_ text: String, with other: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }
}
