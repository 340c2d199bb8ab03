import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct RefreshSQLTests {
    private static let spool = QualifiedName(schema: "shadow_alter", name: "spool_1")
    private static let window = SpoolWindow(after: 3, through: 9, snapshot: "10:20:12")

    private func sql(_ table: TablePlan) -> RefreshSQL { RefreshSQL(table: table, spool: Self.spool) }

    @Test func aChunkIsAPageRangeOfTheTableItself() {
        let insert = sql(.item()).insert(pages: 8, 16)
        #expect(insert.contains(#"INSERT INTO "item_green"."item" ("id", "value") OVERRIDING SYSTEM VALUE"#))
        #expect(insert.contains(#"FROM ONLY "public"."item" AS "item" ("id", "value")"#))
        #expect(insert.contains(#""item".ctid >= '(8,0)'::tid AND "item".ctid < '(16,0)'::tid"#))
    }

    /// What is not visible yet stays in the spool: the same condition decides about all three statements.
    @Test func aBatchTakesWhatItsSnapshotSees() {
        let refresh = sql(.item())
        let condition = "seq > 3 AND seq <= 9 AND pg_visible_in_snapshot(xid, '10:20:12')"
        for statement in [
            refresh.insert(Self.window, conflict: .replace), refresh.delete(Self.window, onlyGone: true),
            SpoolSQL.delete(Self.spool, Self.window),
        ] {
            #expect(statement.contains(condition), "\(statement)")
        }
        var locked = Self.window
        locked.snapshot = nil
        #expect(SpoolSQL.condition(locked) == "seq > 3 AND seq <= 9")
    }

    @Test func updatingReplacesEverythingButTheKey() {
        let insert = sql(.item()).insert(Self.window, conflict: .replace)
        #expect(insert.hasSuffix(#"ON CONFLICT ("id") DO UPDATE SET "value" = excluded."value""#))
        #expect(!sql(.item()).insert(Self.window, conflict: .fail).contains("ON CONFLICT"))
    }

    @Test func yieldingSkipsEveryConflictAndKeepsWhatIsMissing() {
        let refresh = sql(.item(key: [.id, .code]))
        #expect(refresh.insert(Self.window, conflict: .skip).hasSuffix("\nON CONFLICT DO NOTHING"))
        let missing = refresh.missing(Self.window)
        #expect(missing.hasPrefix("SELECT shadow_alter_keys.shadow_alter_seq"))
        #expect(missing.contains("seq > 3 AND seq <= 9 AND pg_visible_in_snapshot(xid, '10:20:12')"))
        #expect(missing.contains(#"NOT EXISTS (SELECT FROM "item_green"."item""#))
        #expect(
            SpoolSQL.delete(Self.spool, Self.window, except: [8, 4]).hasSuffix("AND seq <> ALL ('{4,8}'::bigint[])"))
    }

    @Test func aTableThatIsAllKeyHasNothingToUpdate() {
        let table = TablePlan.item(columns: [.init(green: "id", expression: "\"id\"")])
        #expect(sql(table).insert(Self.window, conflict: .replace).hasSuffix(#"ON CONFLICT ("id") DO NOTHING"#))
    }

    @Test func onlyRowsWhoseSourceIsGoneAreDeletedWhenUpdating() {
        let refresh = sql(.item(key: [.id, .code]))
        let updating = refresh.delete(Self.window, onlyGone: true)
        #expect(updating.contains(#"NOT EXISTS (SELECT FROM ONLY "public"."item""#))
        // The mapping and the green table know the column by its new name.
        #expect(updating.contains(#""item"."renamed" = shadow_alter_keys.shadow_alter_k2"#))
        #expect(updating.contains(#"(CAST("renamed" AS text) COLLATE pg_catalog."C") AS shadow_alter_g2"#))
        #expect(updating.contains(#"shadow_alter_green."renamed" = shadow_alter_keys.shadow_alter_g2"#))
        #expect(!refresh.delete(Self.window, onlyGone: false).contains("NOT EXISTS"))
    }

    /// Of keys that are equal and look different each has its own row in a green table whose key tells them apart.
    @Test func everyFormOfAKeyIsMapped() {
        let refresh = sql(.item(key: [.id, .code]))
        let updating = refresh.delete(Self.window, onlyGone: true)
        #expect(updating.contains("(SELECT DISTINCT CAST("))
        #expect(updating.contains("FROM (SELECT shadow_alter_k1, shadow_alter_k2, seq AS shadow_alter_seq FROM"))
        // The old form's row is gone, although the source has a row whose key is equal.
        #expect(
            updating.contains(
                #"(CAST("renamed" AS text) COLLATE pg_catalog."C") = shadow_alter_keys.shadow_alter_g2)"#))
        // Otherwise a row of the source would be there twice.
        #expect(refresh.batch(Self.window).contains("(SELECT DISTINCT shadow_alter_k1, shadow_alter_k2 FROM"))
    }

    @Test func theSpoolTakesItsTypesFromTheSource() {
        let create = SpoolSQL.create(Self.spool, for: .item(key: [.id, .code]))
        #expect(create.contains(#""id" AS shadow_alter_k1, "code" AS shadow_alter_k2"#))
        #expect(create.contains(#"FROM ONLY "public"."item" WITH NO DATA"#))
        #expect(
            SpoolSQL.copyIn(Self.spool, for: .item(key: [.id, .code]))
                == #"COPY "shadow_alter"."spool_1" (seq, xid, shadow_alter_k1, shadow_alter_k2) FROM STDIN"#)
    }

    @Test func allMeansAll() {
        #expect(SpoolSQL.condition(.all) == "seq > 0 AND seq <= \(Int64.max)")
    }
}
