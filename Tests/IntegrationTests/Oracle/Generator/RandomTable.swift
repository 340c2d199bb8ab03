import PgConnection

@testable import LedgerWorkload

/// A table that nobody would write by hand, and everything around it, from one seed.
struct RandomTable: Sendable {
    struct Column: Sendable {
        var name: String
        var type: RandomType
        var isNotNull = false
        /// ALWAYS, BY DEFAULT, or nothing.
        var identity: String?
        var isSerial = false
        var generated: String?
        /// Dropped before the rows come.
        var isDropped = false
        /// Something names it: it is not to be dropped.
        var isUsed = false
        var definition = ""

        var quoted: String { Quoting.identifier(name) }
        var isPlain: Bool { generated == nil && identity == nil && !isSerial }
        /// Whether UPDATE may give it its own value.
        var isUpdatable: Bool { generated == nil && identity != "ALWAYS" }
    }

    let seed: UInt64
    let version: Int
    var random: SplitMix64
    var relations = RandomNames()
    var constraints = RandomNames()
    var schema = ""
    var name = ""
    var columns: [Column] = []
    var key: [Int] = []
    var rows = 0
    /// Makes the schema, the table, and its rows.
    var setup: [String] = []
    /// What hangs on the table; made once it is there.
    var dependants: [String] = []
    /// Clauses of ALTER TABLE; empty for a rebuild.
    var change = ""
    /// Whether other tables' rows go, or change, with this one's.
    var isReferenced = false

    init(seed: UInt64, version: Int) {
        self.seed = seed
        self.version = version
        random = SplitMix64(seed: seed)
        makeSchema()
        makeColumns()
        makeKey()
        create()
        makeProperties()
        makeIndexes()
        makeConstraints()
        fill()
        makeStatistics()
        makePrivileges()
        makeDependants()
        makeChange()
    }

    var sql: String { "\(Quoting.identifier(schema)).\(Quoting.identifier(name))" }

    /// Of those that are still there.
    var live: [Column] { columns.filter { !$0.isDropped } }

    /// The number of a column for which the condition holds; it counts as used from now on.
    mutating func use(_ isFit: (Column) -> Bool) -> Int? {
        let fit = columns.indices.filter { !columns[$0].isDropped && isFit(columns[$0]) }
        guard let index = random.choice(fit) else { return nil }
        columns[index].isUsed = true
        return index
    }

    mutating func name(_ prefix: String) -> String { relations.next(prefix, &random) }
    mutating func constraintName(_ prefix: String) -> String { constraints.next(prefix, &random) }

    private mutating func makeSchema() {
        schema = random.chance(50) ? "public" : name("schema")
        name = name("t")
        rows = random.chance(10) ? 0 : random.number(20...600)
        setup += [
            "CREATE SCHEMA IF NOT EXISTS \(Quoting.identifier(schema))",
            "CREATE SCHEMA s",
            "CREATE TYPE s.mood AS ENUM ('sad', 'ok', 'it''s fine')",
            "CREATE DOMAIN s.\"e Mail\" AS text CHECK (VALUE LIKE '%@%')",
            "CREATE TYPE s.pair AS (a int, b text)",
            "CREATE FUNCTION s.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'",
            "CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(new, old); END'",
            "CREATE SEQUENCE s.free START 9",
            "CREATE TABLE s.log (n int)",
            "GRANT ALL ON s.log TO sink_owner",
        ]
    }

    private mutating func makeProperties() {
        if random.chance(30) { setup.append("COMMENT ON TABLE \(sql) IS 'it''s \\ the table'") }
        var options = [
            "fillfactor = 77", "autovacuum_enabled = false", "toast_tuple_target = 256", "parallel_workers = 3",
        ]
        // Of a TOAST table that is there only because of dropped columns nothing is left after a rebuild.
        if live.contains(where: { $0.type.isVarlena && $0.type.sql != "numeric" }) {
            options.append("toast.autovacuum_enabled = false")
        }
        for option in options where random.chance(15) {
            setup.append("ALTER TABLE \(sql) SET (\(option))")
        }
        if random.chance(15) { setup.append("ALTER TABLE \(sql) SET TABLESPACE \"sink Space\"") }
        for column in live {
            let target = "ALTER TABLE \(sql) ALTER \(column.quoted)"
            if random.chance(12) { setup.append("COMMENT ON COLUMN \(sql).\(column.quoted) IS 'the \\ column''s'") }
            if column.generated == nil, random.chance(12) {
                setup.append("\(target) SET STATISTICS \(random.number(0...300))")
            }
            if random.chance(8) { setup.append("\(target) SET (n_distinct = \(random.number(-1...50)))") }
            if random.chance(5) { setup.append("\(target) SET (n_distinct_inherited = -0.25)") }
            guard column.type.isVarlena else { continue }
            if random.chance(12), let storage = random.choice(["EXTERNAL", "EXTENDED", "MAIN", "PLAIN"]),
                column.type.value.count < 40
            {
                setup.append("\(target) SET STORAGE \(storage)")
            }
            if random.chance(12) { setup.append("\(target) SET COMPRESSION pglz") }
        }
        for column in columns where column.isDropped { setup.append("ALTER TABLE \(sql) DROP \(column.quoted)") }
    }

    private mutating func fill() {
        guard rows > 0 else { return }
        let filled = live.filter { $0.generated == nil }
        let names = filled.map(\.quoted).joined(separator: ", ")
        let values = filled.map { column in
            column.isNotNull || column.isUsed || column.type.isDistinct || random.chance(50)
                ? column.type.value : "CASE WHEN n % 4 > 0 THEN \(column.type.value) END"
        }
        setup.append(
            "INSERT INTO \(sql) (\(names)) OVERRIDING SYSTEM VALUE SELECT \(values.joined(separator: ", ")) FROM generate_series(1, \(rows)) n"
        )
        if random.chance(60), let id = key.first.map({ columns[$0] }) {
            setup.append("DELETE FROM \(sql) WHERE hashtext(\(id.quoted)::text) % 5 = 0")
        }
        addLater()
    }

    /// Columns that old rows do not have in themselves, sequences that stand somewhere, and what is renamed.
    private mutating func addLater() {
        if random.chance(30), let type = random.choice(RandomType.all.filter { !$0.defaults.isEmpty }) {
            let value = type.defaults[0]
            setup.append(
                "ALTER TABLE \(sql) ADD \"later \(random.number(0...9))\" \(type.sql) DEFAULT \(value)"
                    + (random.chance(50) ? " NOT NULL" : ""))
        }
        if random.chance(15) {
            setup.append("ALTER TABLE \(sql) ADD gone_later int DEFAULT 4; ALTER TABLE \(sql) DROP gone_later")
        }
        for column in live where column.isSerial || column.identity != nil {
            let sequence = "pg_get_serial_sequence(\(Quoting.literal(sql)), \(Quoting.literal(column.name)))"
            if random.chance(60) {
                setup.append("SELECT setval(\(sequence), \(random.number(600...9000)), \(random.chance(50)))")
            }
            if random.chance(30) {
                // The name is known to PostgreSQL only.
                let grant =
                    "GRANT USAGE ON SEQUENCE %s TO sink_reader; COMMENT ON SEQUENCE %s IS ''sequence''; ALTER SEQUENCE %s CYCLE"
                setup.append(
                    "DO $do$ BEGIN EXECUTE format('\(grant)', \(sequence), \(sequence), \(sequence)); END $do$")
            }
        }
    }
}
