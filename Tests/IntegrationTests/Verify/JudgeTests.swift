import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// What tells a mismatch from a change that is on its way: the statements, on tables made by hand. Each case has one guard to thank.
@Suite(.serialized) struct JudgeTests {
    private static let table = TablePlan(
        source: QualifiedName(schema: "public", name: "item"), sourceOID: 0,
        green: QualifiedName(schema: "item_green", name: "item"),
        columns: [],
        mapping: RowMapping(
            alias: "item", sourceNames: ["id", "value"],
            columns: [.init(green: "id", expression: "\"id\""), .init(green: "value", expression: "\"value\"")]),
        key: [
            KeyColumn(
                source: "id", mapped: "id", sourceType: "integer", green: "id", greenType: "bigint",
                greenCollation: nil,
                expression: "\"id\"")
        ], publishesWholeRows: false, indexes: [], afterIndexes: [], sequences: [], fingerprint: "", estimatedRows: nil,
        tableBytes: 0, indexBytes: 0)

    private static let spool = QualifiedName(schema: "shadow_alter", name: "spool_1")
    private static let suspects = QualifiedName(schema: "shadow_alter", name: "suspect_1")

    private static func sql(_ lookup: VerifySQL.Lookup) -> VerifySQL {
        VerifySQL(
            refresh: RefreshSQL(table: table, spool: spool), suspects: suspects,
            columns: [
                .init(name: "id", type: "bigint", expression: "\"id\""),
                .init(name: "value", type: "text", expression: "\"value\""),
            ], lookup: lookup, tableID: 1)
    }

    /// 1 is equal on both sides, 2 differs, 3 is missing in the shadow, 4 is foreign there.
    private static let setup = """
        CREATE SCHEMA item_green; CREATE SCHEMA shadow_alter;
        CREATE TABLE shadow_alter.migrated_table (id bigint, truncated_at bigint);
        INSERT INTO shadow_alter.migrated_table VALUES (1, NULL);
        CREATE TABLE item (id int PRIMARY KEY, value text);
        CREATE TABLE item_green.item (id bigint PRIMARY KEY, value text);
        INSERT INTO item VALUES (1, 'one'), (2, 'two'), (3, 'three');
        INSERT INTO item_green.item VALUES (1, 'one'), (2, 'zwei'), (4, 'four');
        """

    struct Case: Sendable {
        let between: String
        let verdicts: [Int: String]
    }

    private static let mismatches = [2: "mismatch", 3: "mismatch", 4: "mismatch"]

    private static func with(_ verdicts: [Int: String]) -> [Int: String] {
        mismatches.merging(verdicts) { $1 }
    }

    private static let cases = [
        Case(between: "", verdicts: mismatches),
        // A newer version: its key is in the stream, spooled or not.
        Case(between: "UPDATE item SET value = 'new' WHERE id = 2", verdicts: with([2: "settled"])),
        Case(between: "DELETE FROM item WHERE id = 3", verdicts: with([3: "settled"])),
        Case(between: "INSERT INTO item VALUES (4, 'new')", verdicts: with([4: "settled"])),
        // Written by a refresh after the source's row came and went again.
        Case(between: "UPDATE item_green.item SET value = 'refreshed' WHERE id = 4", verdicts: with([4: "settled"])),
        Case(between: "UPDATE item_green.item SET value = 'two' WHERE id = 2", verdicts: with([2: "settled"])),
        Case(between: "DELETE FROM item_green.item WHERE id = 4", verdicts: with([4: "settled"])),
        // A row that was only locked is the same version.
        Case(between: "BEGIN; SELECT FROM item FOR UPDATE; COMMIT", verdicts: mismatches),
        // Not refreshed yet, although it could be: it had to yield to another row.
        Case(
            between: "INSERT INTO shadow_alter.spool_1 VALUES (1, '3', 2), (2, '3', 4)",
            verdicts: with([2: "waiting", 4: "waiting"])),
        Case(
            between: "UPDATE shadow_alter.migrated_table SET truncated_at = 5",
            verdicts: [2: "waiting", 3: "waiting", 4: "waiting"]),
        // Every row has moved, and at the places of the old ones are others with the same writer.
        Case(between: "DELETE FROM item WHERE id = 1; VACUUM FULL item", verdicts: with([2: "settled", 3: "settled"])),
    ]

    @Test(arguments: try await Servers.outermost())
    func onlyWhatCannotBeAChangeOnItsWayIsAMismatch(_ binaries: ServerBinaries) async throws {
        for lookup in [VerifySQL.Lookup.direct, .computed] {
            for (number, one) in Self.cases.enumerated() {
                let database = try await TestDatabase.create("judge_\(number)", on: binaries)
                try await database.psql(
                    Self.setup + SpoolSQL.create(Self.spool, for: Self.table)
                        + VerifySQL.create(Self.suspects, for: Self.table))
                let session = try await TestSession(database)
                let sql = Self.sql(lookup)
                try await Self.note(sql, session)
                // Statements that take no transaction around them.
                for statement in one.between.split(separator: ";") { try await session.execute(String(statement)) }
                let verdicts = try await Self.verdicts(sql, session)
                #expect(verdicts == one.verdicts, "\(lookup): \(one.between)")
                await session.close()
            }
        }
    }

    @Test(arguments: try await Servers.outermost())
    func aRepairLeavesWhatWasWrittenMeanwhileToTheRefresh(_ binaries: ServerBinaries) async throws {
        let database = try await TestDatabase.create("judge_repair", on: binaries)
        try await database.psql(
            Self.setup + SpoolSQL.create(Self.spool, for: Self.table) + VerifySQL.create(Self.suspects, for: Self.table)
        )
        let session = try await TestSession(database)
        let sql = Self.sql(.direct)
        try await Self.note(sql, session)
        try await session.execute("UPDATE item SET value = 'new' WHERE id = 3")
        try await session.execute("UPDATE item_green.item SET value = 'refreshed' WHERE id = 4")
        try await session.connection.run { connection in
            let all: [Int64] = try connection.query(sql.all).rows.map { try $0.value() }
            for statement in sql.repair { try connection.query(statement, [.array(all.map(String.init))]) }
        }
        #expect(
            try await session.column("SELECT id || ' ' || value FROM item_green.item ORDER BY id") == [
                "1 one", "2 two", "4 refreshed",
            ])
        await session.close()
    }

    /// Whether a row's counterpart is on the pages that are compared with its own, or has to be looked up.
    @Test(arguments: try await Servers.outermost())
    func aPairOfStretchesFindsTheSameWhereverTheRowsAre(_ binaries: ServerBinaries) async throws {
        let database = try await TestDatabase.create("pair", on: binaries)
        try await database.psql(
            Self.setup + SpoolSQL.create(Self.spool, for: Self.table) + VerifySQL.create(Self.suspects, for: Self.table)
        )
        let session = try await TestSession(database)
        let green = Self.table.green
        let foreign = try await session.column("SELECT ctid FROM item_green.item WHERE id = 4")
        for (lookup, pages, expected) in [
            (VerifySQL.Lookup.direct, Int64(0)..<10, foreign), (.direct, 5..<10, []), (.computed, 0..<10, []),
            (.computed, 5..<10, []),
        ] {
            let sql = Self.sql(lookup)
            try await session.connection.run { connection in
                let row = try connection.query(sql.compare(pages: 0..<10, with: (green, pages), limit: 100)).single()
                #expect(try row.get("rows", as: Int.self) == 3)
                #expect(try row.get("places", as: [String].self) == ["(0,2)", "(0,3)"], "\(lookup), \(pages)")
                let strangers: [String] = try row.optional("strangers") ?? []
                #expect(strangers == expected, "\(lookup), \(pages)")
                let noted = try connection.query(sql.noteForeignAtPlaces, [.int(100), .array(strangers)])
                #expect(noted.affectedRows == expected.count)
                try connection.execute(sql.clear)
            }
        }
        // Rows of the shadow whose counterparts are on other pages of the source.
        try await session.connection.run { connection in
            let sql = Self.sql(.direct)
            let row = try connection.query(sql.compare(pages: 5..<10, with: (green, 0..<10), limit: 100)).single()
            #expect(try row.get("rows", as: Int.self) == 0)
            #expect(try row.optional("places", as: [String].self) == nil)
            #expect(try row.get("strangers", as: [String].self) == foreign)
            let places = try connection.query(sql.locate, [.array(["(0,1)", "(0,2)", "(7,1)"])]).rows
            #expect(try places.map { try $0.get("source", as: Int64.self) } == [0])
            #expect(try places.map { try $0.get("green", as: Int64.self) } == [0])
        }
        await session.close()
    }

    private static func note(_ sql: VerifySQL, _ session: TestSession) async throws {
        try await session.connection.run { connection in
            let row = try connection.query(sql.compare(pages: 0..<10, limit: 100)).single()
            #expect(try row.get("rows", as: Int.self) == 3)
            let places: [String] = try row.get("places")
            #expect(places.count == 2)
            #expect(try connection.query(sql.noteDifferent, [.int(0), .array(places)]).affectedRows == 2)
            #expect(
                try connection.query(
                    sql.noteForeign(in: (Self.table.green, 0..<10), limit: 100), [.int(100)]
                ).affectedRows == 1)
        }
    }

    private static func verdicts(_ sql: VerifySQL, _ session: TestSession) async throws -> [Int: String] {
        try await session.connection.run { connection in
            let numbers: [Int64] = try connection.query(sql.all).rows.map { try $0.value() }
            let keys = try connection.query("SELECT seq, shadow_alter_g1 FROM shadow_alter.suspect_1").rows.map {
                (try $0.get("seq", as: Int64.self), try $0.get("shadow_alter_g1", as: Int.self))
            }
            let key = Dictionary(keys, uniquingKeysWith: { $1 })
            var verdicts: [Int: String] = [:]
            for statement in sql.judge {
                for row in try connection.query(statement, [.array(numbers.map(String.init))]).rows {
                    verdicts[key[try row.get("seq")] ?? 0] = try row.get("verdict")
                }
            }
            return verdicts
        }
    }
}
