import PgConnection

/// Looks beforehand for the rows that a change would fail for. Nothing is created but temporary tables of one session.
public struct DataCheck: Sendable {
    /// What was found, of all tables.
    public struct Findings: Encodable, Sendable {
        public internal(set) var tables: [BadRows] = []
        public internal(set) var duplicates: [Duplicates] = []
        /// What was not looked at, and why.
        public internal(set) var notChecked: [String] = []

        public var isEmpty: Bool { tables.allSatisfy { $0.total == 0 } && duplicates.allSatisfy { $0.total == 0 } }

        private enum CodingKeys: String, CodingKey {
            case tables, duplicates
            case notChecked = "not_checked"
        }
    }

    let connections: ConnectionOptions
    let niceRatio: Double
    let progress: @Sendable (String) -> Void
    /// How many rows of a table are counted.
    var limit = BadRows.limit

    /// - Parameters:
    ///   - niceRatio: how long to pause after each step, as a multiple of how long it took.
    ///   - progress: told after each step, of which there are some in a second.
    public init(
        connections: ConnectionOptions, niceRatio: Double = 0, progress: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.connections = connections
        self.niceRatio = niceRatio
        self.progress = progress
    }

    private struct Subject: Sendable {
        let plan: TablePlan
        let probe: ProbeTable
        let oldIndexes: [IndexFacts]
    }

    /// Plans, takes that back, and looks at every row of the tables in the plan. Throws `Refused` for what the plan is refused for.
    public func run(_ request: MigrationRequest) async throws -> (plan: MigrationPlan, findings: Findings) {
        let control = try await PgConnection.connect(connections, for: .control)
        let plan: MigrationPlan
        let subjects: [Subject]
        do {
            (plan, subjects) = try await control.rolledBackTransaction { connection in
                let plan = try Planning.plan(request, on: connection)
                guard plan.strategy == .shadow else { return (plan, []) }
                return (plan, try plan.tables.map { try Self.subject($0, on: connection) })
            }
            await control.close()
        } catch {
            await control.close()
            throw error
        }
        var findings = Findings()
        guard plan.strategy == .shadow else {
            findings.notChecked.append("PostgreSQL changes nothing but catalogs: no row is read")
            return (plan, findings)
        }
        let connection = try await PgConnection.connect(connections, for: .copy, plan: plan)
        do {
            for subject in subjects { try await check(subject, &findings, on: connection) }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
        return (plan, findings)
    }

    /// While the new table is there.
    private static func subject(_ plan: TablePlan, on connection: isolated PgConnection) throws -> Subject {
        let green: UInt32 = try connection.query("SELECT $1::text::regclass::oid", [.text(plan.green.sql)]).single()
            .value()
        return Subject(
            plan: plan, probe: try ProbeTable.read(green, isPartitioned: plan.isPartitioned, on: connection),
            oldIndexes: try IndexReader.read(plan.sourceOID, on: connection))
    }

    private func check(_ subject: Subject, _ findings: inout Findings, on connection: PgConnection) async throws {
        let plan = subject.plan
        do {
            try await connection.execute("\(ProbeTable.drop); \(subject.probe.create)")
        } catch let error as PgError where !error.isConnectionLoss {
            findings.notChecked.append(
                "\(plan.source): no temporary table like the new one can be made: \(error.message)")
            return
        }
        let pages = try await connection.pages(of: plan.source)
        let bad = try await BadRowScan(
            plan: plan, probe: subject.probe, spool: nil, connection: connection, limit: limit,
            pace: pace { part, total in "\(plan.source): \(part) % of the rows are looked at, \(total) cannot be mapped"
            }
        ) { _ in
        }.run(over: pages > 0 ? [0..<pages] : [])
        findings.tables.append(bad)
        let indexes = Self.uniqueIndexes(plan)
        guard bad.total == 0 else {
            if !indexes.isEmpty {
                findings.notChecked.append(
                    "\(plan.source): duplicates are looked for once every row can be mapped")
            }
            return
        }
        for index in indexes {
            let search = DuplicateSearch(
                plan: plan, index: index, rows: .source, connection: connection,
                pace: pace { part, _ in "\(plan.source): looking for duplicates for the index \(index.name): \(part) %"
                })
            do {
                guard try await search.isConcerned(oldIndexes: subject.oldIndexes) else { continue }
                findings.duplicates.append(try await search.run())
            } catch let error as PgError where !error.isConnectionLoss && error.sqlState != .queryCanceled {
                // A type without a hash function, or a generated column.
                findings.notChecked.append(
                    "\(plan.source): duplicates for the index \(index.name): \(ShortValue.text(error.message))")
            }
        }
    }

    /// Partitions have the same ones.
    private static func uniqueIndexes(_ plan: TablePlan) -> [IndexPlan] {
        var seen: Set<String> = []
        return plan.indexes.filter(\.isUnique).filter { index in
            let tail = index.definition.firstRange(of: " USING ").map { String(index.definition[$0.lowerBound...]) }
            return seen.insert(tail ?? index.definition).inserted
        }
    }

    private func pace(_ text: @escaping @Sendable (Int, Int) -> String) -> SearchPace {
        SearchPace(niceRatio: niceRatio, progress: { [progress] part, total in progress(text(Int(part * 100), total)) })
    }
}

extension DataCheck.Findings {
    /// The refusals that follow; none when nothing was found.
    public var refusals: [Refusal] {
        tables.filter { $0.total > 0 }.map(Self.refusal) + duplicates.filter { $0.total > 0 }.map(Self.refusal)
    }

    private static func refusal(_ bad: BadRows) -> Refusal {
        let share = bad.isComplete ? " of \(bad.rowsChecked)" : ""
        return Refusal(
            code: "bad-data", object: bad.table,
            what: "\(bad.count)\(share) cannot be had in \(bad.total == 1 ? "its" : "their") new form"
                + list(bad.rows.map(\.text), of: bad.total),
            why: "the copy would stop at the first of them",
            fix: "change these rows, or what USING makes of them, or the definition")
    }

    private static func refusal(_ found: Duplicates) -> Refusal {
        let values = found.total == 1 ? "value is" : "values are"
        return Refusal(
            code: "duplicates", object: found.table,
            what: "\(found.total) \(values) there more than once for the unique index \(found.index)"
                + list(found.values.map(\.text), of: found.total),
            why: "the index could not be built", fix: "change these rows, or the definition")
    }

    private static func list(_ texts: [String], of total: Int) -> String {
        texts.map { "\n      \($0)" }.joined() + (total > texts.count ? "\n      …" : "")
    }
}
