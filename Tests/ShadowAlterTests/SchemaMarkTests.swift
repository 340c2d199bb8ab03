import Testing

@testable import ShadowAlter

struct SchemaMarkTests {
    @Test func aMarkIsReadBack() {
        for kind in [SchemaMark.Kind.green, .blue] {
            let mark = SchemaMark(kind, streamName: StreamName.random())
            #expect(SchemaMark(comment: mark.comment) == mark)
        }
    }

    @Test(arguments: [
        "", "shadow-alter: mine", "shadow_alter_0123456789abcdef", "my notes on shadow_alter_0123456789abcdef",
        "shadow-alter: the new tables of the migration with the slot and publication shadow_alter_0123456789abcde",
        "shadow-alter: the new tables of the migration with the slot and publication shadow_alter_0123456789abcdeg",
        "shadow-alter: the red tables of the migration with the slot and publication shadow_alter_0123456789abcdef",
    ])
    func aCommentOfSomebodyElseIsNone(_ comment: String) {
        #expect(SchemaMark(comment: comment) == nil)
    }

    @Test func namesAreOurs() {
        #expect(StreamName.isOurs(StreamName.random()))
        for name in ["shadow_alter_", "shadow_alter_0123456789ABCDEF", "shadow_alter_mine", "other_0123456789abcdef"] {
            #expect(!StreamName.isOurs(name))
        }
    }
}
