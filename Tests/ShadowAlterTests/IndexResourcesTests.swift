import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct IndexResourcesTests {
    private func table(rows: Int64?) -> TablePlan {
        TablePlan(
            source: QualifiedName(schema: "s", name: "t"), sourceOID: 1, green: QualifiedName(schema: "g", name: "t"),
            columns: [], mapping: RowMapping(alias: "t", sourceNames: [], columns: []), key: [],
            publishesWholeRows: false,
            indexes: [],
            afterIndexes: [], sequences: [], fingerprint: "", estimatedRows: rows, tableBytes: 1 << 30, indexBytes: 0)
    }

    private func index(cost: Int, method: String = "btree") -> IndexPlan {
        IndexPlan(
            name: "i", definition: "CREATE INDEX i ON g.t USING \(method) (a)", tablespace: "", isUnique: false,
            cost: cost,
            isKey: false)
    }

    @Test(arguments: [(1, 2.0, 0), (3, 2.0, 0), (4, 2.0, 1), (1, 0.25, 3), (1, 0, 0)])
    func helpersComeForWhatIsSeveralSessionsWork(cost: Int, fairShare: Double, workers: Int) {
        #expect(IndexResources(index(cost: cost), of: table(rows: 1), fairShare: fairShare).workers == workers)
    }

    @Test func memoryGrowsWithTheSquareRoot() throws {
        let small = try #require(IndexResources(index(cost: 1), of: table(rows: 10), fairShare: 2).sortMemory)
        let million = try #require(
            IndexResources(index(cost: 1), of: table(rows: 100_000_000), fairShare: 2).sortMemory)
        let more = try #require(IndexResources(index(cost: 1), of: table(rows: 400_000_000), fairShare: 2).sortMemory)
        #expect(small == 8 * 1024)
        #expect((50 * 1024...60 * 1024).contains(million))
        #expect(abs(more - 2 * million) <= 1)
    }

    @Test func withHelpersOrWithoutASortTheServersSettingStays() {
        #expect(IndexResources(index(cost: 4), of: table(rows: 10), fairShare: 2).sortMemory == nil)
        #expect(IndexResources(index(cost: 1, method: "gin"), of: table(rows: 10), fairShare: 2).sortMemory == nil)
    }
}
