import PgConnection

/// How much of an index phase is done, in the unit of the indexes' weights.
public struct IndexWork: Sendable, Equatable {
    /// Of all indexes that this run builds.
    public internal(set) var total = 0.0
    /// Of those that are complete.
    private var complete = 0.0
    /// Of those that are being built, by the process that does it.
    private var building: [Int32: Building] = [:]

    private struct Building: Sendable, Equatable {
        var weight: Double
        /// 0 to 1.
        var part = 0.0
    }

    public init() {}

    /// Never more than `total`.
    public var done: Double { min(total, building.values.reduce(complete) { $0 + $1.weight * $1.part }) }

    mutating func begin(_ weight: Double, by process: Int32) { building[process] = Building(weight: weight) }

    mutating func end(by process: Int32) {
        if let ended = building.removeValue(forKey: process) { complete += ended.weight }
    }

    var processes: [Int32] { building.keys.sorted() }

    /// A part that was seen is not taken back: a later stage of a build counts from its own beginning.
    mutating func see(_ parts: [Int32: Double]) {
        for (process, part) in parts {
            guard let known = building[process]?.part else { continue }
            building[process]?.part = max(known, min(1, part))
        }
    }
}

/// How far the server says that index builds are (`pg_stat_progress_create_index`, PostgreSQL 12).
enum IndexProgress {
    /// By process, 0 to 1. Reading the table is taken for the first half; then a B-tree is sorted and loaded. Other access methods report
    /// the reading only.
    static func read(_ processes: [Int32], on connection: isolated PgConnection) throws -> [Int32: Double] {
        guard !processes.isEmpty else { return [:] }
        let rows = try connection.query(
            """
            SELECT pid, CASE
                WHEN tuples_total > 0 THEN 0.5 + 0.5 * tuples_done::float8 / tuples_total
                WHEN blocks_total > 0 THEN 0.5 * blocks_done::float8 / blocks_total
                ELSE 0 END AS part
            FROM pg_stat_progress_create_index WHERE pid = ANY ($1::int[])
            """, [.array(processes.map { String($0) })]
        ).rows.map { (try $0.get("pid", as: Int32.self), try $0.get("part", as: Double.self)) }
        return Dictionary(rows, uniquingKeysWith: { max($0, $1) })
    }
}
