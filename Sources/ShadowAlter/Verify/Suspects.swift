import Logging
import PgConnection

/// Judges what the lanes have noted, while the shadow is kept in sync: which suspects are only changes on their way, and which are mismatches.
///
/// Everything here is done by one caller, one thing after the other, so that nobody refreshes while a repair is made.
actor Suspects {
    /// Beyond this the shadow is no copy that could be repaired.
    static let limit = 10_000
    /// How often a suspect whose key is in the spool is looked at again. Then it is left to the refresh that settles the key.
    private static let patience = 10
    /// Of the mismatches, for people.
    private static let named = 20

    private let tables: [VerifiedTable]
    private let connection: PgConnection
    private let stream: ChangeStream
    private let refresher: Refresher
    private let throttle: Throttle
    private let status: StatusBox
    private let log: Logger

    /// Tables, by their places, with suspects that nobody has judged.
    private var noted: Set<Int> = []
    private var looks: [Int: [Int64: Int]] = [:]
    private var mismatches: [Int: [Int64]] = [:]
    private var lastNumber: Int64 = 0
    /// How many mismatches were found, and the first of them in words.
    private(set) var total = 0
    private(set) var examples: [String] = []
    /// Rounds that have ended.
    private(set) var rounds = 0
    /// Whether all lanes have come to their end.
    private(set) var isSwept = false

    init(
        _ tables: [VerifiedTable], connection: PgConnection, stream: ChangeStream, refresher: Refresher,
        throttle: Throttle, status: StatusBox, log: Logger
    ) {
        self.tables = tables
        self.connection = connection
        self.stream = stream
        self.refresher = refresher
        self.throttle = throttle
        self.status = status
        self.log = log
    }

    /// Numbers for the suspects of a stretch: those after the returned one.
    func numbers() -> Int64 {
        defer { lastNumber += Int64(Self.limit) }
        return lastNumber
    }

    /// To be called once what was noted is committed.
    func noted(_ table: Int) { noted.insert(table) }

    func endSweep() { isSwept = true }

    var isEmpty: Bool { noted.isEmpty }
    var hasMismatches: Bool { !mismatches.isEmpty }

    /// Brings the shadow up to the stream and judges what had been noted before.
    func round() async throws {
        let pending = try await pending()
        // In this order: what made a row a suspect is spooled by now, and what is spooled is refreshed.
        try await stream.drain()
        try await refresher.pass()
        for (table, numbers) in pending { try await judge(numbers, of: table) }
        rounds += 1
    }

    private func pending() async throws -> [Int: [Int64]] {
        let asked = noted
        noted = []
        var pending: [Int: [Int64]] = [:]
        for table in asked {
            let known = Set(mismatches[table] ?? [])
            let sql = tables[table].sql
            let all: [Int64] = try await connection.run { try $0.query(sql.all).rows.map { try $0.value() } }
            pending[table] = all.filter { !known.contains($0) }
        }
        return pending
    }

    private func judge(_ numbers: [Int64], of table: Int) async throws {
        let verified = tables[table]
        let verdicts = try await connection.transaction { connection in
            if verified.sql.lookup == .computed { try connection.execute("SET LOCAL enable_hashjoin = on") }
            return try verified.sql.judge.flatMap { statement in
                try connection.query(statement, [.array(numbers.map(String.init))]).rows.map { row in
                    (number: try row.get("seq", as: Int64.self), verdict: try row.get("verdict", as: String.self))
                }
            }
        }
        var settled: [Int64] = []
        var wrong: [Int64] = []
        for (number, verdict) in verdicts {
            switch VerifySQL.Verdict(rawValue: verdict) {
            case .mismatch?: wrong.append(number)
            case .waiting?:
                let seen = (looks[table]?[number] ?? 0) + 1
                looks[table, default: [:]][number] = seen
                if seen < Self.patience { noted.insert(table) } else { settled.append(number) }
            default: settled.append(number)
            }
        }
        for number in settled + wrong { looks[table]?[number] = nil }
        try await forget(settled, of: table)
        if !wrong.isEmpty { try await accuse(Array(Set(wrong)).sorted(), of: table) }
    }

    private func forget(_ numbers: [Int64], of table: Int) async throws {
        guard !numbers.isEmpty else { return }
        let sql = tables[table].sql
        try await connection.run { try $0.query(sql.remove, [.array(numbers.map(String.init))]) }
    }

    private func accuse(_ numbers: [Int64], of table: Int) async throws {
        let verified = tables[table]
        mismatches[table, default: []] += numbers
        total += numbers.count
        status.update { $0.verify.mismatches += Int64(numbers.count) }
        let limit = Self.named - examples.count
        if limit > 0 {
            let found = try await connection.run { connection in
                try connection.query(verified.sql.describe(limit: limit), [.array(numbers.map(String.init))]).rows.map {
                    "\(verified.record.plan.source), row \(try $0.get("key", as: String.self)): \(try $0.get("what", as: String.self))"
                }
            }
            for text in found { log.warning("the new table differs: \(text)") }
            examples += found
        }
        guard total < Self.limit else { throw TooMany() }
    }

    struct TooMany: Error {}

    // MARK: Repair

    /// Replaces the mismatches' rows by what the source has, and has them judged once more by the next rounds.
    func repair() async throws {
        for (table, numbers) in mismatches {
            let sql = tables[table].sql
            try await patiently {
                try await connection.transaction { connection in
                    let parameters: [PgParameter] = [.array(numbers.map(String.init))]
                    for statement in sql.repair { try connection.query(statement, parameters) }
                    try Failpoint.repairing.pass()
                }
            }
            try Failpoint.repaired.pass()
            try await connection.run { try $0.query(sql.renew, [.array(numbers.map(String.init))]) }
            noted.insert(table)
        }
        mismatches = [:]
        examples = []
    }

    /// A value may be on its way from one row to another.
    private func patiently(_ repair: () async throws -> Void) async throws {
        for attempt in 1... {
            try await throttle.admit()
            do {
                try await repair()
                return
            } catch let error as PgError where error.isRowConflict && attempt < Self.patience {
                try await stream.drain()
                try await refresher.pass()
                try await Task.sleep(for: .milliseconds(20 * attempt))
            }
        }
    }
}
