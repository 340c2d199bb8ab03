import PgConnection

/// A lock that the cut-over takes, and what for. Pure.
public struct CutOverLock: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case view
        case table
        case sequence
    }

    /// The order in which they are taken, from 1.
    public var position: Int
    public var kind: Kind
    public var relation: QualifiedName
    /// As PostgreSQL names it.
    public var mode: String
    /// For a person.
    public var why: String

    /// All locks on what the application uses. Those that are taken together, before anything is done, come first; a sequence's is taken by
    /// the statement that moves it or its ownership.
    public static func all(of plan: MigrationPlan) -> [CutOverLock] {
        let exchanged = Set(plan.tables.map(\.sourceOID) + plan.parents.map(\.sourceOID))
        let together = LockPlan(plan).all.map { lock in
            let users = plan.dependants.filter { $0.locks.contains { $0.oid == lock.oid } }.map(\.name)
            return CutOverLock(
                position: 0, kind: lock.kind == .view ? .view : .table, relation: lock.relation,
                mode: "ACCESS EXCLUSIVE",
                why: exchanged.contains(lock.oid) ? "exchanged" : "for the \(shortened(users))")
        }
        let later =
            plan.strategy == .native ? [] : plan.tables.flatMap { table in table.sequences.map { sequence($0) } }
        return (together + later).enumerated().map { index, lock in
            var lock = lock
            lock.position = index + 1
            return lock
        }
    }

    private static func sequence(_ plan: SequencePlan) -> CutOverLock {
        let (name, mode, why) =
            switch plan {
            case .serial(let name, .some): (name, "SHARE ROW EXCLUSIVE", "stays, owned by the new table's column")
            case .serial(let name, nil): (name, "ACCESS EXCLUSIVE", "goes with the old table")
            case .identity(let name, _): (name, "ACCESS EXCLUSIVE", "exchanged with its table")
            }
        return CutOverLock(position: 0, kind: .sequence, relation: name, mode: mode, why: why)
    }

    private static func shortened(_ names: [String]) -> String {
        names.prefix(2).joined(separator: ", the ") + (names.count > 2 ? " and \(names.count - 2) more" : "")
    }
}

/// What `plan --json` prints: the plan, and the locks that follow from it.
public struct PlanDocument: Encodable, Sendable {
    private let plan: MigrationPlan
    private let findings: DataCheck.Findings?

    /// - Parameter findings: nil when nobody has looked at the rows.
    public init(plan: MigrationPlan, findings: DataCheck.Findings? = nil) {
        self.plan = plan
        self.findings = findings
    }

    private enum CodingKeys: CodingKey {
        case cutOverLocks
        case dataCheck
    }

    public func encode(to encoder: any Encoder) throws {
        try plan.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(CutOverLock.all(of: plan), forKey: .cutOverLocks)
        try container.encodeIfPresent(findings, forKey: .dataCheck)
    }
}
