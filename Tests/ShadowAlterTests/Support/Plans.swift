import PgConnection

@testable import ShadowAlter

extension TablePlan {
    /// `public.item` with the key `id`, and in the green schema with a wider one.
    static func item(
        key: [KeyColumn] = [.id],
        columns: [RowMapping.Column] = [
            .init(green: "id", expression: "\"id\""), .init(green: "value", expression: "\"value\""),
        ],
        sequences: [SequencePlan] = []
    ) -> Self {
        Self(
            source: QualifiedName(schema: "public", name: "item"), sourceOID: 4711,
            green: QualifiedName(schema: "item_green", name: "item"),
            columns: ["id", "value"].enumerated().map { index, name in
                ColumnPlan(number: index + 1, name: name, greenName: name, hasNewType: false)
            },
            mapping: RowMapping(alias: "item", sourceNames: ["id", "value"], columns: columns), key: key,
            publishesWholeRows: false, indexes: [], afterIndexes: [], sequences: sequences, fingerprint: "",
            estimatedRows: nil,
            tableBytes: 0, indexBytes: 0)
    }
}

extension KeyColumn {
    static let id = Self(
        source: "id", mapped: "id", sourceType: "integer", green: "id", greenType: "bigint", greenCollation: nil,
        expression: "\"id\"")
    static let code = Self(
        source: "code", mapped: "renamed", sourceType: "text", green: "renamed", greenType: "text",
        greenCollation: "pg_catalog.\"C\"",
        expression: "\"renamed\"")
}
