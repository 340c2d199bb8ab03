import Foundation
import PgConnection
import Synchronization
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// Somebody who looks at a migration while the program is at work, and does something. What he waits for comes about also when the program is killed
/// meanwhile and started again.
struct Beside: Sendable {
    let database: TestDatabase
    let session: PatientSession
    /// The program that is at work now.
    let process: Mutable<ToolProcess?>

    init(_ database: TestDatabase, process: Mutable<ToolProcess?>) {
        (self.database, self.process) = (database, process)
        session = PatientSession(database)
    }

    func interrupt() { process.value?.send(SIGINT) }

    /// Gives another command, which succeeds.
    func steer(_ arguments: [String]) async throws {
        let ended = try await ToolProcess.run(arguments, on: database)
        #expect(ended.exit == 0, "\(arguments): \(ended)")
    }

    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        try await eventually(what) {
            try Task.checkCancellation()
            // Tables come and go.
            return (try? await condition()) ?? false
        }
    }

    func until(_ what: String, _ condition: String) async throws {
        try await until(what) { try await session.isTrue(condition) }
    }

    func untilReady() async throws {
        try await until("it is ready", "EXISTS (SELECT FROM shadow_alter.migration WHERE phase = 'ready')")
    }

    func untilReversible() async throws {
        let reader = StatusReader(connections: database.options)
        try await until("a rollback is possible") {
            let status = try await reader.status(of: "orders")
            return status.phase == .baking && status.rollbackPossible
        }
    }

    func rollBack() async throws {
        try await untilReversible()
        try await askForRollback()
    }

    /// A row of the load may stand in another's way for a moment, and then it is refused.
    private func askForRollback() async throws {
        try await until("the rollback is asked for") {
            let ended = try await ToolProcess.run(["rollback", "orders"], on: database)
            #expect(ended.exit == 0 || ended.error.contains("cannot be rolled back now"), "\(ended)")
            return ended.exit == 0
        }
    }

    func rollBackAndPostpone() async throws {
        try await untilReversible()
        let reader = try await TestSession(database, "reader")
        try await reader.execute("BEGIN; SELECT FROM orders LIMIT 1")
        try await askForRollback()
        try await until("the rollback is prepared", "to_regclass('orders_blue.amounts') IS NOT NULL")
        try await steer(["postpone", "orders"])
        try await until("the rollback is taken back", "to_regclass('orders_blue.amounts') IS NULL")
        try await reader.execute("COMMIT")
        await reader.close()
    }

    func insertARowThatCannotGoBack() async throws {
        try await untilReversible()
        try await session.execute("INSERT INTO orders (id, code) VALUES (3000000000, 'too large')")
        try await until("its key is parked") {
            let places = try await session.column(
                "SELECT oid::regclass FROM pg_class WHERE relname ~ '^parked_[0-9]+$' AND relnamespace = 'shadow_alter'::regnamespace"
            )
            let place = try #require(places.first)
            return try await session.isTrue("EXISTS (SELECT FROM \(place))")
        }
        try await session.execute("DELETE FROM orders WHERE id = 3000000000")
    }

    func loseTheSlot() async throws {
        try await untilReversible()
        try await until("the slot is dropped") {
            try await session.execute(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database()")
            try await session.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()"
            )
            return true
        }
    }

    func damageTheNewTable() async throws {
        try await untilReady()
        let damaged = try await session.column("SELECT clock_timestamp()")[0]
        try await session.execute(
            "UPDATE orders_green.orders SET amount = coalesce(amount, 0) + 1 WHERE id BETWEEN 100 AND 140")
        try await steer(["verify", "orders"])
        try await until(
            "it is verified again",
            "EXISTS (SELECT FROM shadow_alter.migration WHERE phase = 'ready' AND verify_outcome = 'passed' AND verify_started_at > '\(damaged)')"
        )
    }

    /// More than a spool may have before it is made small again.
    func writeALot() async throws {
        try await untilReady()
        let spools = try await session.column(
            "SELECT oid::regclass FROM pg_class WHERE relname ~ '^spool_[0-9]+$' AND relnamespace = 'shadow_alter'::regnamespace"
        )
        let spool = try #require(spools.first)
        // Otherwise it is by chance VACUUM that makes it small.
        try await session.execute("ALTER TABLE \(spool) SET (autovacuum_enabled = off)")
        let size = "pg_relation_size('\(spool)')"
        try await until("the spool is large") {
            try await session.execute("UPDATE orders SET visits = visits + 1 WHERE id <= \(FaultOrders.rows)")
            return try await session.isTrue("\(size) > \(SpoolRenewal.size)")
        }
        try await until("the spool is small again", "\(size) < \(SpoolRenewal.size)")
    }

    func truncate() async throws {
        try await untilReady()
        try await session.execute(
            "TRUNCATE item; INSERT INTO item SELECT n, 'second life' FROM generate_series(1, 700) n")
        try await until(
            "the new table follows",
            "NOT EXISTS ((TABLE item_green.item EXCEPT ALL SELECT id::bigint, value FROM item) UNION ALL (SELECT id::bigint, value FROM item EXCEPT ALL TABLE item_green.item))"
        )
        try await session.execute("UPDATE item SET value = 'later' WHERE id % 5 = 0")
    }
}

/// A session that is made anew when the server has ended it.
struct PatientSession: Sendable {
    private let database: TestDatabase
    private let session = Mutable<TestSession?>(nil)

    init(_ database: TestDatabase) { self.database = database }

    private func use<Value: Sendable>(_ body: (TestSession) async throws -> Value) async throws -> Value {
        do {
            if session.value == nil { session.value = try await TestSession(database, "beside") }
            guard let current = session.value else { throw CancellationError() }
            return try await body(current)
        } catch let error as PgError where error.isConnectionLoss {
            session.value = nil
            throw error
        }
    }

    func execute(_ sql: String) async throws { try await use { _ = try await $0.execute(sql) } }
    func column(_ sql: String) async throws -> [String] { try await use { try await $0.column(sql) } }
    func isTrue(_ condition: String) async throws -> Bool { try await use { try await $0.isTrue(condition) } }

    func close() async { await session.value?.close() }
}

/// A value that several tasks see.
final class Mutable<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>
    init(_ value: Value) { mutex = Mutex(value) }
    var value: Value {
        get { mutex.withLock { $0 } }
        set { mutex.withLock { $0 = newValue } }
    }
}
