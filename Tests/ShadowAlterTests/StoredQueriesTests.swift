import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct StoredQueriesTests {
    private func query(_ oid: UInt32, _ uses: [StoredQuery.Object], _ kind: StoredQuery.Kind = .view) -> StoredQuery {
        StoredQuery(
            kind: kind, oid: oid, name: QualifiedName(schema: "s", name: "q\(oid)"), title: "q\(oid)",
            uses: uses.map { StoredQuery.Use(object: $0, column: 0) })
    }

    @Test func everythingComesAfterWhatItUses() {
        let sorted = StoredQueries.sorted([
            query(3, [.relation(2), .function(4)]), query(2, [.relation(1)]), query(4, [.relation(2)], .function),
            query(5, [.relation(1)]),
        ])
        #expect(sorted.ordered.map(\.oid) == [2, 4, 3, 5])
        #expect(sorted.circular.isEmpty)
    }

    /// A relation and a function may have the same OID.
    @Test func catalogsAreToldApart() {
        let sorted = StoredQueries.sorted([query(2, [.relation(3)]), query(3, [.relation(1)], .function)])
        #expect(sorted.ordered.map(\.oid) == [2, 3])
    }

    @Test func aCircleAndWhatIsAboveItHasNoOrder() {
        let sorted = StoredQueries.sorted([
            query(2, [.relation(3)]), query(3, [.relation(2)]), query(4, [.relation(3)]), query(5, [.relation(1)]),
            query(6, [.function(6)], .function),
        ])
        #expect(sorted.ordered.map(\.oid) == [5, 6])
        #expect(sorted.circular.map(\.oid) == [2, 3, 4])
    }
}
