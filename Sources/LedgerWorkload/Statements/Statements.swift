import PgConnection

/// The SQL of the workload. Columns go by name, and values are literals without a type, so that every statement means the
/// same before and after the migration.
struct Statements: Sendable {
    let table: WorkloadTable
    let target: String
    private let keyList: String
    private let overriding: String

    init(_ table: WorkloadTable) {
        self.table = table
        target = table.name.sql
        keyList = Quoting.identifiers(table.key.map(\.name))
        // Without an identity column the clause has no effect (INSERT, OVERRIDING SYSTEM VALUE).
        overriding = table.sequence == nil ? "" : " OVERRIDING SYSTEM VALUE"
    }

    static func literal(_ text: String?) -> String {
        guard let text else { return "NULL" }
        // Large values hold nothing that needs quoting: no second look at each of their characters.
        if text.utf8.allSatisfy({ $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\\") }) { return "'" + text + "'" }
        return Quoting.literal(text)
    }

    private func columnName(_ position: Int) -> String { Quoting.identifier(table.columns[position].name) }

    private func keyLiterals(_ key: Key) -> String {
        key.parts.map(Self.literal).joined(separator: ", ")
    }

    /// The condition that selects these keys' rows.
    func condition(_ keys: [Key]) -> String {
        if keys.count == 1, let key = keys.first {
            return zip(table.key, key.parts).map { "\(Quoting.identifier($0.name)) = \(Self.literal($1))" }
                .joined(separator: " AND ")
        }
        guard table.key.count > 1 else { return "\(keyList) IN (\(keys.map(keyLiterals).joined(separator: ", ")))" }
        return "(\(keyList)) IN (\(keys.map { "(\(keyLiterals($0)))" }.joined(separator: ", ")))"
    }

    func insert(_ rows: [(key: Key, values: [Int: GeneratedValue])]) -> String {
        let positions = table.written
        let tuples = rows.map { row in
            "("
                + ([keyLiterals(row.key)] + positions.map { Self.literal(row.values[$0]?.literal) })
                .joined(separator: ", ") + ")"
        }
        return
            "INSERT INTO \(target) (\(([keyList] + positions.map(columnName)).joined(separator: ", ")))\(overriding) "
            + "VALUES \(tuples.joined(separator: ", "))"
    }

    /// Leaves the key to its default and returns it, a row for each row, in their order (an INSERT … VALUES inserts and
    /// returns one after the other: ExecModifyTable in src/backend/executor/nodeModifyTable.c).
    func insertReturningKey(_ rows: [[Int: GeneratedValue]]) -> String {
        let positions = table.written
        let tuples = rows.map { row in
            "(" + positions.map { Self.literal(row[$0]?.literal) }.joined(separator: ", ") + ")"
        }
        return "INSERT INTO \(target) (\(positions.map(columnName).joined(separator: ", "))) "
            + "VALUES \(tuples.joined(separator: ", ")) RETURNING \(CanonicalReading.liveKey(table))"
    }

    func upsert(_ rows: [(key: Key, values: [Int: GeneratedValue])], updating positions: [Int]) -> String {
        let action =
            positions.isEmpty
            ? "DO NOTHING"
            : "DO UPDATE SET "
                + positions.map { "\(columnName($0)) = EXCLUDED.\(columnName($0))" }
                .joined(separator: ", ")
        return insert(rows) + " ON CONFLICT (\(keyList)) \(action)"
    }

    func update(_ keys: [Key], _ assignments: [Int: GeneratedValue]) -> String {
        let list = assignments.sorted { $0.key < $1.key }
            .map { "\(columnName($0.key)) = \(Self.literal($0.value.literal))" }
        return "UPDATE \(target) SET \(list.joined(separator: ", ")) WHERE \(condition(keys))"
    }

    func increment(_ key: Key, _ position: Int) -> String {
        "UPDATE \(target) SET \(columnName(position)) = \(columnName(position)) + 1 WHERE \(condition([key]))"
    }

    /// Every column set to itself: a new row version with the old values.
    func touch(_ key: Key, _ positions: [Int]) -> String {
        let list = positions.map { "\(columnName($0)) = \(columnName($0))" }
        return "UPDATE \(target) SET \(list.joined(separator: ", ")) WHERE \(condition([key]))"
    }

    func changeKey(_ old: Key, to new: Key) -> String {
        let list = zip(table.key, new.parts).map { "\(Quoting.identifier($0.name)) = \(Self.literal($1))" }
        return "UPDATE \(target) SET \(list.joined(separator: ", ")) WHERE \(condition([old]))"
    }

    /// Both rows take the other one's value; only for a DEFERRABLE constraint, the others are checked row by row.
    func swap(_ first: Key, _ second: Key, _ position: Int) -> String {
        func qualified(_ key: Key, _ alias: String) -> String {
            zip(table.key, key.parts).map { "\(alias).\(Quoting.identifier($0.name)) = \(Self.literal($1))" }
                .joined(separator: " AND ")
        }
        return "UPDATE \(target) AS mine SET \(columnName(position)) = other.\(columnName(position)) "
            + "FROM \(target) AS other WHERE (\(qualified(first, "mine")) AND \(qualified(second, "other"))) "
            + "OR (\(qualified(second, "mine")) AND \(qualified(first, "other")))"
    }

    func delete(_ keys: [Key]) -> String {
        "DELETE FROM \(target) WHERE \(condition(keys))"
    }

    /// Key and live columns of these keys' rows.
    func select(_ keys: [Key]) -> String {
        "SELECT \(CanonicalReading.liveList(table)) FROM \(target) WHERE \(condition(keys))"
    }

    func copyIn(_ rows: [(key: Key, values: [Int: GeneratedValue])]) -> (sql: String, data: [UInt8]) {
        let positions = table.written
        var data = CopyTextRows()
        for row in rows {
            for part in row.key.parts { data.append(part.utf8) }
            for position in positions {
                if let text = row.values[position]?.literal { data.append(text.utf8) } else { data.appendNull() }
            }
            data.endRow()
        }
        return (
            "COPY \(target) (\(([keyList] + positions.map(columnName)).joined(separator: ", "))) FROM STDIN", data.bytes
        )
    }

    /// So many values of the key's sequence. Asked for by name every time, as applications' defaults do.
    func nextKeys(_ count: Int) -> String? {
        guard let sequence = table.sequence else { return nil }
        return
            "SELECT nextval(pg_get_serial_sequence(\(Self.literal(target)), \(Self.literal(sequence.column))))::text "
            + "FROM generate_series(1, \(count))"
    }
}
