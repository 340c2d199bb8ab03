import Foundation
import PgConnection
import ShadowAlter
import TestSupport
import Testing
import ThrowawayServer

extension LiveMigrations {
    /// However many keys one transaction changes, the program's memory does not grow with them.
    @Suite(.serialized, .timeLimit(.minutes(5))) struct MemoryTests {
        /// In the check 150,000 keys in one commit, twelve times what is kept in memory at once; by hand as many as the environment says.
        private static let keys = Int(ProcessInfo.processInfo.environment["SHADOW_ALTER_MEMORY_KEYS"] ?? "") ?? 150_000
        /// Of the process as a whole, its libraries included; a debug build's, too.
        private static let bound: Int64 = 100 << 20

        @Test(arguments: try await Servers.outermost())
        func aTransactionThatChangesEveryRow(_ binaries: ServerBinaries) async throws {
            let database = try await TestDatabase.create("memory", on: binaries)
            try await database.psql(
                """
                CREATE TABLE wide (id int PRIMARY KEY, code uuid NOT NULL DEFAULT gen_random_uuid(), n int NOT NULL DEFAULT 0);
                INSERT INTO wide SELECT n FROM generate_series(1, \(Self.keys)) n;
                """)
            let session = try await TestSession(database)
            try await session.execute("SET statement_timeout = 0")
            let tool = try ToolProcess(
                [
                    "run", "--table", "wide", "--alter", "ALTER id TYPE bigint", "--cut-over", "manual", "--progress",
                    "off",
                    "--verify", "off",
                ], on: database)
            func until(_ what: String, _ condition: String) async throws {
                try await eventually(what, within: .seconds(240)) {
                    guard tool.isRunning else {
                        throw NeverHappened(
                            description: "the program ended before: \(what); \(tool.output) \(tool.error)")
                    }
                    guard try await session.isTrue("to_regclass('shadow_alter.migration') IS NOT NULL") else {
                        return false
                    }
                    return try await session.isTrue(condition)
                }
            }
            try await until("ready", "EXISTS (SELECT FROM shadow_alter.migration WHERE phase = 'ready')")
            let before = try #require(tool.peakMemory)
            try await session.execute("UPDATE wide SET n = n + 1")
            try await until("in sync", "NOT EXISTS (SELECT FROM wide_green.wide WHERE n <> 1)")
            let after = try #require(tool.peakMemory)
            print(
                "\(binaries): \(Self.keys) keys in one commit, at most \(after >> 20) MB resident, \(before >> 20) MB before"
            )
            #expect(after < Self.bound)
            try await Steer(connections: database.options).run(.cutOver, "wide")
            let ended = await tool.ended()
            #expect(ended.exit == 0, "\(ended)")
            #expect(try await session.isTrue("(SELECT count(*) FILTER (WHERE n = 1) = \(Self.keys) FROM wide)"))
            try await Finalize(connections: database.options).run("wide")
            try await Remains(session: session).expectNothing()
            await session.close()
        }
    }
}
