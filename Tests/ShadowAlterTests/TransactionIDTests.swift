import Testing

@testable import ShadowAlter

@Suite struct TransactionIDTests {
    @Test(arguments: [
        (UInt32(100), UInt64(100), UInt64(100)),
        (99, 100, 99),
        // Decoded after the snapshot was taken.
        (101, 100, 101),
        // Epoch 1: the counter has wrapped, the transaction began before.
        (4_294_967_290, 4_294_967_300, 4_294_967_290),
        (4, 4_294_967_300, 4_294_967_300),
        // Epoch 0 near its end, the transaction came after the wrap.
        (5, 4_294_967_290, 4_294_967_301),
        (3_000_000_000, 3_000_000_001, 3_000_000_000),
        // There is nothing before the first epoch.
        (4_294_967_290, 10, 4_294_967_290),
    ])
    func widens(xid: UInt32, reference: UInt64, expected: UInt64) {
        #expect(TransactionID.widen(xid, near: reference) == expected)
    }
}
