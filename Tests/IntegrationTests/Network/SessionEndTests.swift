import Foundation
import PgConnection
import TestSupport
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// That the server lets go of what a session of ours holds, when whoever it belongs to is gone, or stands still.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct SessionEndTests {
        private static let settings = [
            "client_connection_check_interval": "1s", "idle_in_transaction_session_timeout": "1min",
            "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
            "tcp_user_timeout": "60000",
        ]

        private func read(_ options: ConnectionOptions, _ names: some Collection<String>) async throws -> [String:
            String]
        {
            let connection = try await PgConnection.connect(options, for: .control)
            var values: [String: String] = [:]
            for name in names {
                values[name] = try await connection.query("SHOW \(name)").single().value()
            }
            await connection.close()
            return values
        }

        /// Whatever the role and the database have as their defaults.
        @Test(arguments: try await Servers.outermost())
        func theSettingsAreInForceUnlessTheConnectionStringSaysOtherwise(_ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries, settings: ["listen_addresses": "127.0.0.1"])
            try await server.psql(
                "ALTER ROLE postgres SET idle_in_transaction_session_timeout = 0; ALTER DATABASE postgres SET tcp_user_timeout = 5"
            )
            let conninfo = "host=127.0.0.1 port=\(server.port) user=postgres dbname=postgres"
            let plain = try await read(ConnectionOptions(conninfo: conninfo), Self.settings.keys)
            #expect(plain == Self.settings)
            let given =
                conninfo + " options='-c idle_in_transaction_session_timeout=7s -c client_connection_check_interval=0'"
            let changed = try await read(ConnectionOptions(conninfo: given), Self.settings.keys)
            var expected = Self.settings
            expected["idle_in_transaction_session_timeout"] = "7s"
            expected["client_connection_check_interval"] = "0"
            #expect(changed == expected)
            try await server.stop()
        }

        /// What a role or a database has as its defaults, for its applications, would end our statements, refuse them, or read other rows.
        @Test(arguments: try await Servers.outermost(), [SessionRole.control, .copy, .refresh, .cutOver, .verify])
        func noDefaultIsInForce(_ binaries: ServerBinaries, _ role: SessionRole) async throws {
            let database = try await TestDatabase.create("session_defaults", on: binaries)
            let defaults = [
                ("statement_timeout", "7ms", "0"), ("lock_timeout", "7ms", "0"), ("idle_session_timeout", "7s", "0"),
                ("default_transaction_read_only", "on", "off"),
                ("default_transaction_isolation", "serializable", "read committed"),
                ("default_transaction_deferrable", "on", "off"), ("row_security", "on", "off"), ("jit", "on", "off"),
                ("synchronous_commit", "remote_apply", [.copy, .refresh, .verify].contains(role) ? "off" : "local"),
            ]
            for (name, value, _) in defaults {
                try await database.server.psql("ALTER DATABASE session_defaults SET \(name) = '\(value)'")
            }
            let isNew = binaries.majorVersion >= 17
            if isNew {
                try await database.server.psql("ALTER DATABASE session_defaults SET transaction_timeout = '7s'")
            }
            let connection = try await PgConnection.connect(database.options, for: role)
            for (name, _, expected) in defaults + (isNew ? [("transaction_timeout", "", "0")] : []) {
                let value: String = try await connection.query("SHOW \(name)").single().value()
                #expect(value == expected, "\(name)")
            }
            await connection.close()
        }

        /// The table is locked for the exchange when the program stands still: the server takes the lock back, much earlier than from other sessions.
        @Test(arguments: try await Servers.outermost())
        func aLockDoesNotOutliveItsBudget(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("session_lock", on: binaries)
            let tool = try ToolProcess(
                ["run", "--table", "item", "--alter", "ALTER COLUMN id TYPE bigint", "--progress", "off"],
                on: items.database, failpoint: "locked=pause")
            try await tool.untilPaused()
            let held =
                "EXISTS (SELECT FROM pg_locks WHERE relation = 'item'::regclass AND mode = 'AccessExclusiveLock')"
            try await eventually("the lock is let go of", within: .seconds(25)) {
                try await !items.session.isTrue(held)
            }
            try await items.session.execute("UPDATE item SET value = 'nobody waits' WHERE id % 3 = 0")
            tool.send(SIGCONT)
            let ended = try await tool.ended(within: .seconds(60))
            #expect(ended.exit == 0, "\(ended)")
            try await items.expectExact()
            try await items.finish()
        }

        /// A chunk that stands at the barrier would stand there for ever, with its locks.
        @Test(arguments: try await Servers.outermost())
        func aStatementEndsWithItsProcess(_ binaries: ServerBinaries) async throws {
            let items = try await Items.create("session_end", on: binaries)
            guard case .alter(let table, let clauses) = Items.gated.change else { return }
            let tool = try ToolProcess(
                [
                    "run", "--table", table, "--alter", clauses, "--strategy", "shadow", "--progress", "off",
                ], on: items.database)
            try await eventually("the copy stands at the barrier") {
                try await items.session.isTrue(
                    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND granted "
                        + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
            }
            tool.send(SIGKILL)
            try await eventually("the server has ended the chunk") {
                try await items.session.isTrue(
                    "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'shadow-alter%')"
                )
            }
            try await items.barrier.openCopy()
            try await RunningMigration(Items.gated, items.database).summary()
            try await items.expectExact()
            try await items.finish()
        }
    }
}
