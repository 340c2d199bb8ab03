import PgOutput
import Testing

@Suite("Tuples")
struct TupleTests {
    @Test func isACollectionOfItsValues() {
        let tuple: Tuple = [.null, .text([0x61]), .unchangedToast]
        #expect(tuple.count == 3)
        #expect(tuple[1] == .text([0x61]))
        #expect(Array(tuple) == tuple.values)
    }

    @Test func stringIsTheTextOfATextValueOnly() {
        #expect(TupleValue.text(Array("grün".utf8)).string == "grün")
        #expect(TupleValue.text([]).string?.isEmpty == true)
        #expect(TupleValue.text([0xFF]).string == nil)
        #expect(TupleValue.binary([0x61]).string == nil)
        #expect(TupleValue.null.string == nil)
        #expect(TupleValue.unchangedToast.string == nil)
    }

    @Test func anOldRowHasItsValuesWhicheverItsKind() {
        #expect(OldTuple.key([.null]).tuple == OldTuple.full([.null]).tuple)
        #expect(OldTuple.key([.null]) != OldTuple.full([.null]))
    }
}
