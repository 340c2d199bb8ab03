import PgOutput

func text(_ string: String) -> TupleValue {
    .text(Array(string.utf8))
}

/// The tables that tools/capture-pgoutput makes.
struct ExpectedRelations {
    let keyed: Relation
    let wholeRow: Relation
    let byIndex: Relation
    let moods: Relation
    let parent: Relation
    let child: Relation

    // pg_type.oid of built-in types.
    private static let int4: UInt32 = 23
    private static let textType: UInt32 = 25
    private static let varchar: UInt32 = 1043
    private static let numeric: UInt32 = 1700

    init(_ stream: CapturedStream) throws {
        func relation(
            _ namespace: String, _ name: String, _ identity: ReplicaIdentity, _ columns: [Relation.Column]
        ) throws -> Relation {
            Relation(
                relationID: try stream.relationID(name), namespace: namespace, name: name, replicaIdentity: identity,
                columns: columns)
        }
        let id = Relation.Column(isKey: true, name: "id", typeID: Self.int4)
        keyed = try relation(
            "shop", "keyed", .default,
            [
                id, Relation.Column(isKey: false, name: "body", typeID: Self.textType),
                // numeric(10,2): precision and scale in the upper and lower half, plus 4.
                Relation.Column(isKey: false, name: "amount", typeID: Self.numeric, typeModifier: 10 << 16 | 2 + 4),
            ])
        wholeRow = try relation(
            "public", "whole_row", .full, [id, Relation.Column(isKey: true, name: "label", typeID: Self.textType)])
        byIndex = try relation(
            "public", "by_index", .index,
            [
                Relation.Column(isKey: false, name: "a", typeID: Self.int4),
                Relation.Column(isKey: false, name: "b", typeID: Self.textType),
                Relation.Column(isKey: true, name: "c", typeID: Self.varchar, typeModifier: 20 + 4),
            ])
        moods = try relation(
            "public", "moods", .default, [id, Relation.Column(isKey: false, name: "mood", typeID: try stream.typeID())])
        parent = try relation("public", "parent", .default, [id])
        child = try relation(
            "public", "child", .default, [id, Relation.Column(isKey: false, name: "parent_id", typeID: Self.int4)])
    }
}

/// The changes of rows that tools/capture-pgoutput makes, in its order.
struct ExpectedRows {
    let keyed: [PgOutputMessage]
    let wholeRow: [PgOutputMessage]
    let byIndex: [PgOutputMessage]

    init(_ stream: CapturedStream) throws {
        let keyedID = try stream.relationID("keyed")
        let wholeID = try stream.relationID("whole_row")
        let indexID = try stream.relationID("by_index")
        keyed = [
            .insert(Insert(relationID: keyedID, new: [text("2"), text("plain ü"), .null])),
            .insert(Insert(relationID: keyedID, new: [text("3"), text(""), text("12.50")])),
            .update(Update(relationID: keyedID, old: nil, new: [text("1"), .unchangedToast, text("2.00")])),
            .update(
                Update(
                    relationID: keyedID, old: .key([text("1"), .null, .null]),
                    new: [text("10"), .unchangedToast, text("2.00")])),
            .delete(Delete(relationID: keyedID, old: .key([text("2"), .null, .null]))),
        ]
        wholeRow = [
            .insert(Insert(relationID: wholeID, new: [text("1"), text("one")])),
            .update(Update(relationID: wholeID, old: .full([text("1"), text("one")]), new: [text("1"), .null])),
            .delete(Delete(relationID: wholeID, old: .full([text("1"), .null]))),
        ]
        byIndex = [
            .insert(Insert(relationID: indexID, new: [text("1"), text("b"), text("c")])),
            .update(
                Update(
                    relationID: indexID, old: .key([.null, .null, text("c")]),
                    new: [text("1"), text("b"), text("d")])),
        ]
    }
}
