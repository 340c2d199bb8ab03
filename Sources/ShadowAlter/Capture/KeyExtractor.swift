import PgConnection
import PgOutput

/// Finds the key's columns in the tuples of one table, by the names in the stream's Relation message.
struct KeyExtractor: Sendable {
    private let relationName: String
    /// Where the key's columns stand in a tuple, in the key's order.
    private let positions: [Int]

    /// Throws `sourceChanged` when the relation lacks a column of the key, or its replica identity does: the server would not tell then which key a row
    /// had before.
    init(_ relation: Relation, table: TablePlan) throws {
        relationName = "\(relation.namespace).\(relation.name)"
        positions = try table.key.map { key in
            guard let position = relation.columns.firstIndex(where: { $0.name == key.source }) else {
                throw MigrationError(
                    .sourceChanged,
                    "column \(key.source) of \(table.source), a part of its key, is gone from the stream",
                    state: "no live table was touched; the shadow is kept",
                    advice: "somebody changed the table while the migration ran: `abort`, then start again")
            }
            guard relation.columns[position].isKey else {
                throw MigrationError(
                    .sourceChanged,
                    "the replica identity of \(table.source) was another one for a while, without the column \(key.source) of its key",
                    state: "no live table was touched; the shadow is kept, and lacks what was written from then on",
                    advice:
                        "somebody changed the table while the migration ran: change it back if it is not yet, `abort`, then start again"
                )
            }
            return position
        }
    }

    /// Writes the key as one row of COPY text, in place of whatever `row` had. `old` fills in what the new tuple leaves out as
    /// unchanged TOAST. Allocates nothing once `row` is long enough.
    ///
    /// - Parameter bytes: the message that the frames were made from.
    func read(
        _ tuple: TupleFrame, old: TupleFrame? = nil, in bytes: RawSpan, into row: inout CopyTextRows
    ) throws {
        row.removeAll()
        for position in positions {
            guard let range = try text(tuple, position, bytes) ?? old.flatMap({ try text($0, position, bytes) }) else {
                throw MigrationError(
                    .inconsistent, "a change of \(relationName) came without the value of a key column",
                    state: "no live table was touched; the stream stands before this change",
                    advice: "this is a bug or a replica identity changed meanwhile; `abort`, and start again")
            }
            row.append(bytes.extracting(range))
        }
    }

    private func text(_ tuple: TupleFrame, _ position: Int, _ bytes: RawSpan) throws -> Range<Int>? {
        guard let value = try tuple.value(at: position, in: bytes), value.kind == .text else { return nil }
        return value.byteRange
    }
}
