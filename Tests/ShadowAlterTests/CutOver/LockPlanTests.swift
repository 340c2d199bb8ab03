import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct LockPlanTests {
    private static func plan(_ oids: [UInt32], others: [RelationLock] = []) -> MigrationPlan {
        let dependants = others.map { lock in
            var dependant = Dependant(kind: .foreignKey, name: "it", remove: [], restore: [])
            dependant.locks = [lock]
            return dependant
        }
        return MigrationPlan(
            name: "it", request: MigrationRequest(change: .script("")), strategy: .shadow, strategyReason: "",
            greenSchema: "it_green", blueSchema: "it_blue", searchPath: "public", timeZone: "UTC", nativeStatements: [],
            tables: oids.map { oid in
                var table = TablePlan.item()
                table.sourceOID = oid
                return table
            }, dependants: dependants, warnings: [])
    }

    private static func lock(_ oid: UInt32, _ kind: RelationLock.Kind = .table, depth: Int? = nil) -> RelationLock {
        RelationLock(oid: oid, relation: QualifiedName(schema: "public", name: "r\(oid)"), kind: kind, depth: depth)
    }

    /// Two migrations that have tables in common never wait for each other.
    @Test func inTheOrderOfTheirNumbers() {
        let plan = Self.plan([30, 10], others: [Self.lock(20), Self.lock(7, depth: 1), Self.lock(9, depth: 0)])
        #expect(LockPlan(plan, greenOIDs: [40, 5]).tables.map(\.oid) == [9, 7, 5, 10, 20, 30, 40])
        #expect(LockPlan(plan, greenOIDs: [40, 5]).statements(owners: [:]).count == 1)
    }

    @Test func viewsComeFirst() {
        let plan = Self.plan([10], others: [Self.lock(3, .view), Self.lock(50, .view)])
        #expect(LockPlan(plan).all.map(\.oid) == [50, 3, 10])
    }

    /// Where a circle is possible, we are gone before the application's transaction looks for one.
    @Test func theWaitStaysBelowDeadlockTimeout() {
        let alone = LockPlan(Self.plan([10]), greenOIDs: [11])
        let several = LockPlan(Self.plan([10, 20]), greenOIDs: [11, 21])
        let beside = LockPlan(Self.plan([10], others: [Self.lock(12)]), greenOIDs: [11])
        #expect(LockBound(.seconds(60), deadlockTimeout: .seconds(1), alone).timeout == .seconds(60))
        for plan in [several, beside] {
            #expect(LockBound(.seconds(60), deadlockTimeout: .seconds(1), plan).timeout == .milliseconds(800))
            #expect(
                LockBound(.milliseconds(200), deadlockTimeout: .seconds(1), plan).timeout == .milliseconds(200))
        }
        #expect(
            LockBound(.seconds(60), deadlockTimeout: .seconds(1), alone).furtherTimeout == .milliseconds(800))
    }
}
