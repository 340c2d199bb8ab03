import PgConnection
import Testing

@testable import ShadowAlter

@Suite struct ReversedPlanTests {
    private static let place = QualifiedName(schema: "shadow_alter", name: "kept_1")
    private static let spool = QualifiedName(schema: "shadow_alter", name: "spool_1")

    private func plan(_ columns: [InverseMapping.Column], key: KeyColumn) -> TablePlan {
        var plan = TablePlan.item(sequences: [
            .serial(sequence: QualifiedName(schema: "public", name: "item_id_seq"), greenColumn: "id"),
            .serial(sequence: QualifiedName(schema: "public", name: "item_gone_seq"), greenColumn: nil),
            .identity(
                source: QualifiedName(schema: "public", name: "item_value_seq"),
                green: QualifiedName(schema: "item_green", name: "item_value_seq")),
        ])
        plan.inverse = InverseMapping(columns: columns, key: [key], sourceNames: ["id", "value", "new"])
        return plan
    }

    private static let key = KeyColumn(
        source: "id", mapped: "id", sourceType: "bigint", green: "id", greenType: "integer", greenCollation: nil,
        expression: #"CASE WHEN "id" BETWEEN -2147483648 AND 2147483647 THEN "id" END"#)

    @Test func sourceAndTargetChangePlaces() throws {
        let reversed = try plan(
            [
                .init(name: "id", type: "integer", source: .expression("\"id\"")),
                .init(name: "value", type: "text", source: .generated),
            ], key: Self.key
        ).reversed(blueSchema: "item_blue", liveOID: 99)
        #expect(reversed.source == QualifiedName(schema: "public", name: "item") && reversed.sourceOID == 99)
        #expect(reversed.green == QualifiedName(schema: "item_blue", name: "item"))
        #expect(reversed.mapping.columns == [.init(green: "id", expression: "\"id\"")])
        #expect(reversed.mapping.sourceNames == ["id", "value", "new"] && reversed.mapping.kept == nil)
        #expect(!reversed.replacesRows)
        #expect(
            reversed.sequences == [
                .serial(sequence: QualifiedName(schema: "public", name: "item_id_seq"), greenColumn: "id"),
                .identity(
                    source: QualifiedName(schema: "public", name: "item_value_seq"),
                    green: QualifiedName(schema: "item_blue", name: "item_value_seq")),
            ])
        #expect(throws: MigrationError.self) { try reversed.reversed(blueSchema: "again") }
        let refresh = RefreshSQL(table: reversed, spool: Self.spool, kept: Self.place)
        #expect(refresh.kept == nil && refresh.statements(.all, mode: .updating).count == 2)
    }

    /// Whatever the mode: rows that are there are replaced with what they keep.
    @Test(arguments: [RefreshBatch.Mode.updating, .replacing, .yielding])
    func whatIsKeptIsPutBack(mode: RefreshBatch.Mode) throws {
        let reversed = try plan(
            [
                .init(name: "id", type: "integer", source: .expression("\"id\"")),
                .init(name: "value", type: "text", source: .kept(default: nil)),
            ], key: Self.key
        ).reversed(blueSchema: "item_blue")
        #expect(reversed.replacesRows && reversed.mapping.kept == ["value"])
        let statements = RefreshSQL(table: reversed, spool: Self.spool, kept: Self.place).statements(.all, mode: mode)
        #expect(statements.count == 4)
        #expect(
            statements[0].contains(#"RETURNING shadow_alter_green."id" AS shadow_alter_g1, shadow_alter_green."value""#)
        )
        #expect(statements[1].contains(#"("id", "value") OVERRIDING SYSTEM VALUE"#))
        #expect(statements[2].contains(#"("id") OVERRIDING SYSTEM VALUE"#))
        for statement in statements[1...2] {
            #expect(statement.hasSuffix("ON CONFLICT DO NOTHING") == (mode == .yielding))
        }
    }

    /// A new key that is no old one finds nobody, and is no old row's.
    @Test func theKeyIsNobodysWhereItDoesNotLeadBack() {
        func column(_ type: String) -> ColumnFacts {
            ColumnFacts(
                number: 1, name: "k", typeOID: 0, typeModifier: -1, collationOID: 0, type: type, collation: nil,
                isNotNull: true, isGenerated: false, isIdentity: false, hasDefault: false)
        }
        func expression(_ old: String, _ new: String) -> String? {
            let forward = KeyColumn(
                source: "k", mapped: "k", sourceType: old, green: "k", greenType: new, greenCollation: nil,
                expression: "\"k\"")
            return InverseKey(parts: [(forward, column(old), "\"k\"")], alias: "item").columns.first?.expression
        }
        #expect(expression("integer", "integer") == "\"k\"")
        #expect(expression("bigint", "integer") == "\"k\"")
        #expect(expression("smallint", "bigint") == #"CASE WHEN "k" BETWEEN -32768 AND 32767 THEN "k" END"#)
        #expect(
            expression("varchar(5)", "text")
                == #"CASE WHEN (SELECT CAST("k" AS text) FROM (SELECT CAST("k" AS varchar(5)) AS "k") AS "item") = "k" THEN "k" END"#
        )
    }
}
