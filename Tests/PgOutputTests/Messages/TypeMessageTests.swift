import PgOutput
import Testing

@Suite("Type")
struct TypeMessageTests {
    @Test func layout() throws {
        let type = TypeMessage(typeID: 0x0102_0304, namespace: "shop", name: "mood")
        try expectWellBehaved(
            .type(type), onTheWire: [0x59, 1, 2, 3, 4] + Array("shop".utf8) + [0] + Array("mood".utf8) + [0])
        #expect(type.schemaName == "shop")
    }

    @Test func theEmptyNamespaceIsPgCatalog() throws {
        let type = TypeMessage(typeID: 1, namespace: "", name: "t")
        try expectWellBehaved(.type(type), onTheWire: [0x59, 0, 0, 0, 1, 0, 0x74, 0])
        #expect(type.schemaName == "pg_catalog")
    }

    @Test func fieldsAreNamed() {
        expectError([0x59, 0, 0], .truncated(needed: 4, available: 2), .type, .typeID, at: 1)
        expectError([0x59, 0, 0, 0, 1, 0x61], .unterminatedString, .type, .namespace, at: 5)
        expectError([0x59, 0, 0, 0, 1, 0, 0x61], .unterminatedString, .type, .typeName, at: 6)
        expectError([0x59, 0, 0, 0, 1, 0, 0xFE, 0], .invalidUTF8, .type, .typeName, at: 6)
    }
}
