import PgConnection
import Testing

@testable import LedgerWorkload

struct PureTests {
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func digestsAreThoseOfRFC1321(input: String, expected: String) {
        #expect(MD5Digest(of: input.utf8).hex == expected)
        #expect(MD5Digest(hex: expected) == MD5Digest(of: input.utf8))
    }

    @Test func theSeedComesFromTheEnvironment() throws {
        #expect(try WorkloadSeed.choose(environment: ["SHADOW_ALTER_SEED": "17"]) == 17)
        #expect(try WorkloadSeed.choose(environment: ["SHADOW_ALTER_SEED": "0xff"]) == 255)
        #expect(throws: WorkloadError.self) { try WorkloadSeed.choose(environment: ["SHADOW_ALTER_SEED": "x"]) }
        #expect(try WorkloadSeed.choose(environment: [:]) != WorkloadSeed.choose(environment: [:]))
    }

    @Test(arguments: Shop.allCases)
    func keySpacesAreDisjoint(shop: Shop) throws {
        let table = try shop.table()
        var all: Set<Key> = []
        for partition in 0..<3 {
            var space = KeySpace(table, partition: partition, of: 3, firstOrdinal: 5)
            for _ in 0..<2000 { all.insert(space.take()) }
        }
        #expect(all.count == 6000)
    }

    /// Every operation is acknowledged at once, as by a server that never fails.
    private func decisions(seed: UInt64, count: Int) throws -> [String] {
        var planner = Planner(
            try Shop.integer.table(), partition: 1, of: 3, firstOrdinal: 0, random: SplitMix64(seed: seed),
            weights: .mixed, rowLimit: 500, hotKeys: [Key(text: "1"), Key(text: "2")])
        return (0..<count).map { _ in
            let script = planner.next()
            planner.ledger.acknowledge(script.effect)
            return "\(script.effect.operation) \(script.ending) " + script.steps.map(\.sql).joined(separator: ";")
        }
    }

    @Test func theSameSeedGivesTheSameDecisions() throws {
        let first = try decisions(seed: 42, count: 600)
        #expect(try decisions(seed: 42, count: 600) == first)
        #expect(try decisions(seed: 43, count: 600) != first)
    }

    @Test func everyOperationOccurs() throws {
        var planner = Planner(
            try Shop.integer.table(), partition: 0, of: 1, firstOrdinal: 0, random: SplitMix64(seed: 1),
            weights: .mixed, rowLimit: 2000, hotKeys: [Key(text: "1")])
        var seen: Set<OperationKind> = []
        for _ in 0..<2500 {
            let script = planner.next()
            seen.insert(script.effect.operation)
            planner.ledger.acknowledge(script.effect)
        }
        #expect(Set(OperationKind.allCases).subtracting(seen) == [])
    }

    @Test func aRolledBackSavepointLeavesItsStatementsAndNotItsRows() {
        let row = LogicalRow(values: ["1"])
        var draft = Draft()
        draft.set(Key(text: "a"), row)
        let savepoint = draft
        draft.add(Step("SAVEPOINT one"))
        draft.set(Key(text: "a"), nil)
        draft.set(Key(text: "b"), row)
        draft.rollBack(to: savepoint)
        #expect(draft.steps.count == 1)
        #expect(
            draft.changes(against: ClientLedger(hotRows: 0))
                == [RowChange(key: Key(text: "a"), before: nil, after: row)])
    }

    @Test func contradictoryTablesAreRefused() {
        let name = QualifiedName(schema: "s", name: "t")
        #expect(throws: WorkloadError.self) { try WorkloadTable(name, key: [], columns: []) }
        #expect(throws: WorkloadError.self) {
            try WorkloadTable(name, key: [KeyColumn("a", .uuid)], columns: [PayloadColumn("a", .boolean)])
        }
        #expect(throws: WorkloadError.self) {
            try WorkloadTable(
                name, key: [KeyColumn("a", .sequence(updatable: true)), KeyColumn("b", .uuid)], columns: [])
        }
    }

    @Test func theLongestWaitIsLookedForInTheGivenTime() {
        let meter = ClientMeter(client: 0)
        let now = MonotonicTime.now.nanoseconds
        // Measured as two statements that began so long ago: the first takes longer.
        meter.record(from: MonotonicTime(nanoseconds: now - 9_000_000_000))
        meter.record(from: MonotonicTime(nanoseconds: now - 3_000_000_000))
        let report = WorkloadReport(seed: 1, clients: [meter.snapshot])
        func wait(_ from: UInt64, _ to: UInt64) -> UInt64? {
            report.longestWait(
                from: MonotonicTime(nanoseconds: now - from), to: MonotonicTime(nanoseconds: now - to)
            ).map { $0.nanoseconds / 1_000_000_000 }
        }
        #expect(wait(2_000_000_000, 0) == 9)
        #expect(wait(8_000_000_000, 5_000_000_000) == 9)
        #expect(wait(20_000_000_000, 10_000_000_000) == nil)
        #expect(report.statements == 2)
        #expect(report.longestLatency >= 9_000_000)
    }
}
