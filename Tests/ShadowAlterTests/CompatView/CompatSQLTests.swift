import PgConnection
import Testing

@testable import ShadowAlter

/// The statements that make the views, without a server.
@Suite struct CompatSQLTests {
    private static let plain = CompatShape(
        kind: .old, goesWithExchange: false, view: QualifiedName(schema: "m_old", name: "it\"em"),
        live: QualifiedName(schema: "public", name: "item"),
        number: 2,
        columns: [
            .init(name: "id", source: .column("id"), type: "integer"),
            .init(name: "no\"te", source: .column("remark"), type: "text"),
        ],
        targets: [
            .init(name: "id", type: "bigint", column: "id", expression: "\"id\""),
            .init(name: "remark", type: "text", column: "no\"te", expression: "\"no\"\"te\""),
        ], key: [.init(name: "id", target: "id")], liveNames: ["id", "remark"],
        liveRow: .init(alias: "item", names: ["id", "remark"]), row: .init(alias: "it\"em", names: ["id", "no\"te"]))

    private static var computed: CompatShape {
        var shape = plain
        shape.columns += [
            .init(name: "price", source: .expression("cents / 100"), type: "integer"),
            .init(name: "gone", source: .constant("'x'"), type: "text"),
            .init(name: "none", source: .constant(nil), type: "date"),
        ]
        shape.targets.append(.init(name: "cents", type: "numeric", column: nil, expression: "(price * 100)"))
        shape.row.names += ["price", "gone", "none"]
        return shape
    }

    private static let facts = CompatFacts(owner: "o", hasInvoker: true)

    @Test func aPlainView() {
        #expect(Self.plain.isPlain)
        #expect(
            CompatSQL(shape: Self.plain, facts: Self.facts).create == [
                """
                CREATE VIEW "m_old"."it""em" ("id", "no""te") WITH (security_invoker = true) AS
                SELECT "item"."id", "item"."remark" FROM "public"."item" AS "item"
                """, "ALTER VIEW \"m_old\".\"it\"\"em\" OWNER TO \"o\"",
            ])
        #expect(
            CompatSQL.drop([Self.plain]) == [
                "DROP VIEW IF EXISTS \"m_old\".\"it\"\"em\"", "DROP SCHEMA IF EXISTS \"m_old\"",
            ])
        var old = Self.facts
        old.hasInvoker = false
        #expect(!CompatSQL(shape: Self.plain, facts: old).create[0].contains("security_invoker"))
    }

    @Test func oneWithTriggers() {
        let shape = Self.computed
        #expect(!shape.isPlain)
        var facts = Self.facts
        facts.grants = ["GRANT SELECT ON TABLE v TO r"]
        facts.defaults = [("price", "5")]
        facts.filled = ["id"]
        let statements = CompatSQL(shape: shape, facts: facts).create
        #expect(statements[0].contains("CAST((cents / 100) AS integer), CAST(('x') AS text), CAST((NULL) AS date)"))
        #expect(statements[2] == "GRANT SELECT ON TABLE v TO r")
        #expect(statements[3] == "ALTER VIEW \"m_old\".\"it\"\"em\" ALTER COLUMN \"price\" SET DEFAULT 5")
        let forward = statements[4]
        #expect(forward.contains("OUT \"id\" bigint, OUT \"remark\" text, OUT \"cents\" numeric"))
        #expect(forward.contains("SELECT ($1).\"id\", ($1).\"no\"\"te\", (price * 100) FROM"))
        // A NULL for the identity means its next number; for others it is a NULL.
        #expect(statements[5].contains("IF shadow_alter_row.\"id\" IS NOT NULL"))
        #expect(!statements[5].contains("IF shadow_alter_row.\"remark\""))
        #expect(
            CompatSQL.drop([shape]) == [
                "DROP FUNCTION IF EXISTS \"m_old\".\"shadow_alter_forward_2\"(\"m_old\".\"it\"\"em\")",
                "DROP VIEW IF EXISTS \"m_old\".\"it\"\"em\"",
                "DROP FUNCTION IF EXISTS \"m_old\".\"shadow_alter_insert_2\"()",
                "DROP FUNCTION IF EXISTS \"m_old\".\"shadow_alter_update_2\"()", "DROP SCHEMA IF EXISTS \"m_old\"",
            ])
    }

    /// A rename may come before a USING expression, which then knows the old table's column by the new name. What the old table has no place for is
    /// refused, by a function that PostgreSQL has parsed.
    @Test func theNewShape() {
        let shape = CompatShape(
            kind: .new, goesWithExchange: true, view: QualifiedName(schema: "m_new", name: "item"),
            live: QualifiedName(schema: "public", name: "item"), number: 1,
            columns: [
                .init(name: "id", source: .column("id"), type: "bigint"),
                .init(name: "remark", source: .column("note"), type: "text"),
                .init(name: "state", source: .constant("'new'"), type: "text", isUnkept: true),
                .init(name: "seen", source: .constant(nil), type: "date", isUnkept: true),
            ],
            targets: [
                .init(name: "id", type: "integer", column: "id", expression: "\"id\""),
                .init(name: "note", type: "text", column: "remark", expression: "\"remark\""),
            ], key: [.init(name: "id", target: "id")], liveNames: ["id", "note"],
            liveRow: .init(alias: "item", names: ["id", "remark"]),
            row: .init(alias: "item", names: ["id", "remark", "state", "seen"]))
        #expect(!shape.isPlain && shape.unkept.map(\.name) == ["state", "seen"])
        var facts = Self.facts
        facts.defaults = [("state", "'new'::text"), ("seen", "now()")]
        let statements = CompatSQL(shape: shape, facts: facts).create
        #expect(
            statements[0].hasSuffix(
                """
                SELECT "item"."id", "item"."remark", CAST(('new') AS text), CAST((NULL) AS date) FROM "public"."item" AS "item" ("id", "remark")
                """), "\(statements[0])")
        #expect(statements[2] == "ALTER VIEW \"m_new\".\"item\" ALTER COLUMN \"state\" SET DEFAULT 'new'::text")
        #expect(statements[3].contains("OUT \"note\" text, OUT shadow_alter_unkept text)"))
        #expect(
            statements[3].contains(
                "WHEN CAST(($1).\"seen\" AS text) IS DISTINCT FROM CAST(CAST((NULL) AS date) AS text) THEN 'seen'::text"
            ),
            "\(statements[3])")
        #expect(statements[4...5].allSatisfy { $0.contains("feature_not_supported") })
        // The old table has a place for everything that the old shape shows.
        #expect(
            !CompatSQL(shape: Self.computed, facts: Self.facts).create.contains { $0.contains("feature_not_supported") }
        )
    }

    @Test func theSchema() {
        var facts = Self.facts
        facts.grantees = ["\"r\"", "PUBLIC"]
        #expect(
            CompatSQL.createSchema("m_old", for: [facts, facts]) == [
                "CREATE SCHEMA \"m_old\"", "GRANT CREATE ON SCHEMA \"m_old\" TO \"o\"",
                "GRANT USAGE ON SCHEMA \"m_old\" TO \"r\"",
                "GRANT USAGE ON SCHEMA \"m_old\" TO PUBLIC", "GRANT USAGE ON SCHEMA \"m_old\" TO \"o\"",
            ])
    }

    /// One of every kind that a real one has, for what is told of event triggers.
    @Test func kinds() throws {
        func tags(_ statements: [String]) throws -> Set<String> {
            Set(try statements.flatMap { try SQLStatement.split($0) }.compactMap { CommandTag.of($0) })
        }
        let made = CompatSQL(shape: Self.computed, facts: Self.facts).create
        let told = try tags(CompatSQL.kinds)
        #expect(try tags(CompatSQL.createSchema("s", for: [Self.facts])).isSubset(of: told))
        #expect(try tags(CompatSQL.drop([Self.computed])).isSubset(of: told))
        #expect(
            told.isSuperset(of: ["CREATE VIEW", "ALTER VIEW", "CREATE FUNCTION", "CREATE TRIGGER"]) && made.count > 5)
    }
}
