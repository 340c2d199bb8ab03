import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// The initial copy of a subscription reads the table by its name with the snapshot of its slot. Exchanged in between, rows would be missing
    /// at the subscriber for ever.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct InitialCopyTests {
        @Test(arguments: try await Servers.outermost(), [true, false])
        func theCutOverWaitsForOne(_ binaries: ServerBinaries, _ isPrivileged: Bool) async throws {
            let items = try await Items.create("initial_copy", on: binaries)
            let database = items.database
            var connections = database.options
            if !isPrivileged {
                // Who sees of other roles' sessions nothing but that they are there.
                try await database.psql(
                    """
                    DROP ROLE IF EXISTS copy_migrator; CREATE ROLE copy_migrator LOGIN REPLICATION;
                    GRANT CREATE ON DATABASE initial_copy TO copy_migrator; GRANT USAGE, CREATE ON SCHEMA public TO copy_migrator;
                    ALTER TABLE item OWNER TO copy_migrator
                    """)
                connections = ConnectionOptions(
                    conninfo: database.server.conninfo(database: database.name, user: "copy_migrator"))
            }
            let running = RunningMigration(
                Items.plain, connections: connections, options: MigrationOptions.quick.manual())
            try await running.untilReady(items.session)

            // What a subscription's worker does, up to the COPY.
            let worker = try await Worker(database)
            try await worker.begin()
            try await items.session.execute(
                "UPDATE item SET value = 'later' WHERE id = 1; INSERT INTO item VALUES (-1, 'new', '')")
            try await Steer(connections: connections).run(.cutOver, "item")
            try await running.until("the cut-over waits for the initial copy, or did not") {
                let reason = running.migration.status.snapshot.reason ?? ""
                return reason.contains("session \(worker.pid) ") && reason.contains("initial copy of a subscription")
            }
            let rows = try await worker.copy("item")
            // Has read what was there when the slot was made.
            #expect(rows == Items.rows)
            #expect(running.migration.status.snapshot.cutOver.attempts == 0)
            await worker.close()
            try await running.summary()
            try await items.expectExact()
            try await items.finish()
            if !isPrivileged { try await database.psql("DROP OWNED BY copy_migrator; DROP ROLE copy_migrator") }
        }

        /// One may begin between the look and the lock.
        @Test(arguments: try await Servers.outermost())
        func theAttemptLooksOnceMoreUnderTheLock(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("initial_lock", on: binaries)
            let options = items.database.options
            let first = RunningMigration(Items.plain, items.database, .quick.manual())
            try await first.untilReady(items.session)
            first.cancel()
            _ = await first.failure()

            let worker = try await Worker(items.database)
            try await worker.begin()
            let control = try await PgConnection.connect(options, for: .control)
            let record = try #require(try await control.run { try StateStore.find("item", on: $0) })
            let stream = try await ChangeStream(record, options: options, log: first.log.logger())
            let streaming = Task { try await stream.run() }
            let connection = try await PgConnection.connect(options, for: .cutOver, plan: record.plan)
            await #expect(throws: InitialCopyUnderWay.self) {
                _ = try await CutOverAttempt(
                    record: record, connection: connection, stream: stream, options: .quick, observer: control,
                    failures: 0, landing: .done(record)
                ).run()
            }
            #expect(try await worker.copy("item") == Items.rows)
            streaming.cancel()
            _ = await streaming.result
            await stream.close()
            for connection in [control, connection, worker.connection] { await connection.close() }
            try await RunningMigration(Items.plain, items.database).summary()
            try await items.expectExact()
            try await items.finish()
        }

        /// One that has begun to read another table does not read ours any more.
        @Test(arguments: try await Servers.outermost())
        func aCopyOfAnotherTableIsNotWaitedFor(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("initial_other", on: binaries)
            let worker = try await Worker(items.database)
            try await worker.begin()
            _ = try await worker.copy("other")
            try await RunningMigration(Items.plain, items.database).summary()
            await worker.close()
            try await items.expectExact()
            try await items.finish()
        }

        /// PostgreSQL's own worker, held fast in the middle of its copy by a lock at the subscriber.
        @Test(arguments: try await Servers.outermost())
        func aSubscriptionThatBeginsMeanwhileMissesNothing(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("initial_real", on: binaries)
            try await items.session.execute("CREATE PUBLICATION p FOR TABLE item")
            let subscriber = try await Subscriber.create(
                "sub_initial", of: items.database,
                setup: "CREATE TABLE item (id bigint PRIMARY KEY, value text, filler text)")
            let running = RunningMigration(Items.plain, items.database, .quick.manual())
            try await running.untilReady(items.session)

            let holder = try await TestSession(subscriber.database)
            // In the way of the rows, and not of the worker's look at the table.
            try await holder.execute(
                """
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN new; END';
                CREATE TRIGGER hold BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION hold(); ALTER TABLE item ENABLE ALWAYS TRIGGER hold;
                SELECT pg_advisory_lock(1)
                """)
            try await subscriber.beginToSubscribe(to: "p")
            try await eventually("the worker copies") {
                try await holder.isTrue("EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
            }
            try await items.session.execute("UPDATE item SET value = 'later' WHERE id % 10 = 0")
            try await Steer(connections: items.database.options).run(.cutOver, "item")
            try await running.until("the cut-over waits for the initial copy, or did not") {
                (running.migration.status.snapshot.reason ?? "").contains("initial copy of a subscription")
            }
            try await holder.execute("SELECT pg_advisory_unlock(1); ALTER TABLE item DISABLE TRIGGER hold")
            try await running.summary()
            try await items.session.execute("INSERT INTO item VALUES (5000000000, 'large', '')")
            try await subscriber.untilCopied()
            try await subscriber.expectSame("SELECT * FROM item")
            #expect(try await subscriber.errors() == 0)
            try await subscriber.end()
            await holder.close()
            try await items.session.execute("DROP PUBLICATION p; DELETE FROM item WHERE id = 5000000000")
            try await items.expectExact()
            try await items.finish()
        }
    }
}

/// A replication connection that does what the worker of an initial copy does, step by step.
private struct Worker: Sendable {
    let connection: PgConnection
    var pid: Int32 { connection.backendPID }

    init(_ database: TestDatabase) async throws {
        connection = try await PgConnection.connect(
            ConnectionOptions(
                conninfo: database.server.conninfo(database: database.name), applicationName: "pg_1_sync_2_3",
                isReplication: true))
    }

    func begin() async throws {
        try await connection.execute("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ")
        try await connection.execute("CREATE_REPLICATION_SLOT pg_1_sync_2_3 TEMPORARY LOGICAL pgoutput USE_SNAPSHOT")
    }

    /// How many rows it finds.
    func copy(_ table: String) async throws -> Int {
        try await connection.run { try $0.execute("SELECT count(*)::text FROM \(table)").single().text(0) }
            .flatMap { Int($0) } ?? -1
    }

    func close() async {
        _ = try? await connection.execute("COMMIT")
        await connection.close()
    }
}
