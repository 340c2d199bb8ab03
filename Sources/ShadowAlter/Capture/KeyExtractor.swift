import PgConnection
import PgOutput

/// Finds the key's columns in the tuples of one table, by the names in the stream's Relation message.
struct KeyExtractor: Sendable {
    private let relationName: String
    /// Where the key's columns stand in a tuple, in the key's order.
    private let positions: [Int]

    /// Throws `sourceChanged` when the relation lacks a column of the key.
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
            return position
        }
    }

    /// The key as one row of COPY text. `old` fills in what the new tuple leaves out as unchanged TOAST.
    func key(_ tuple: Tuple, old: Tuple? = nil) throws -> PendingChanges.Key {
        var row = CopyTextRows()
        for position in positions {
            guard let bytes = text(tuple, position) ?? old.flatMap({ text($0, position) }) else {
                throw MigrationError(
                    .inconsistent, "a change of \(relationName) came without the value of a key column",
                    state: "no live table was touched; the stream stands before this change",
                    advice: "this is a bug or a replica identity changed meanwhile; `abort`, and start again")
            }
            row.append(bytes)
        }
        return row.bytes
    }

    private func text(_ tuple: Tuple, _ position: Int) -> [UInt8]? {
        guard position < tuple.count, case .text(let bytes) = tuple[position] else { return nil }
        return Array(bytes)
    }
}
