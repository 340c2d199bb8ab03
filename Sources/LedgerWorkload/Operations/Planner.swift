/// Decides what one client does. Pure: the same seed and the same answers give the same decisions.
///
/// The operations are extensions of this type, in files of their own.
struct Planner: Sendable {
    let statements: Statements
    let prepared: PreparedStatements
    let weights: OperationWeights
    /// The client deletes more than it inserts while it has more rows than this.
    let rowLimit: Int
    let hotKeys: [Key]

    var random: SplitMix64
    var keys: KeySpace
    /// The numbers in unique values. They are no keys: a key's sequence does not count them.
    var uniqueNumbers: KeySpace
    var ledger: ClientLedger
    var draft = Draft()
    private(set) var number = 0

    var table: WorkloadTable { statements.table }

    init(
        _ table: WorkloadTable, partition: Int, of partitions: Int, firstOrdinal: Int, random: SplitMix64,
        weights: OperationWeights, rowLimit: Int, hotKeys: [Key]
    ) {
        statements = Statements(table)
        prepared = PreparedStatements(statements)
        self.weights = weights
        self.rowLimit = rowLimit
        self.hotKeys = hotKeys
        self.random = random
        keys = KeySpace(table, partition: partition, of: partitions, firstOrdinal: firstOrdinal)
        uniqueNumbers = keys
        ledger = ClientLedger(hotRows: hotKeys.count)
    }

    /// The keys that one operation may need at most.
    static let keysPerOperation = 4000

    /// The next operation. One that is impossible now (no row to update) becomes an insert.
    mutating func next() -> Script {
        number += 1
        var kind = weights.draw(&random)
        if ledger.live.count > rowLimit, kind.isInserting { kind = .deleteMany }
        draft = Draft()
        if let ending = plan(kind) { return finish(kind, ending) }
        draft = Draft()
        planInsertOne()
        return finish(.insertOne, .commit)
    }

    private mutating func finish(_ kind: OperationKind, _ ending: Script.Ending) -> Script {
        let isRolledBack = ending == .rollback
        return Script(
            steps: draft.steps, ending: ending,
            effect: TransactionEffect(
                operation: kind, number: number, changes: isRolledBack ? [] : draft.changes(against: ledger),
                increments: isRolledBack ? [] : draft.increments),
            rowsWithNewKeys: isRolledBack ? [] : draft.rowsWithNewKeys)
    }

    /// nil where the operation is impossible in the present state.
    private mutating func plan(_ kind: OperationKind) -> Script.Ending? {
        switch kind {
        case .insertOne: planInsertOne()
        case .insertMany: planInsertMany()
        case .copyIn: planCopyIn()
        case .upsert: planUpsert()
        case .update: planUpdate()
        case .updateToNull: planUpdateToNull()
        case .updateNothing: planUpdateNothing()
        case .updateRelative: planUpdateRelative()
        case .updateToast: planUpdateToast()
        case .updateBesideToast: planUpdateBesideToast()
        case .delete: planDelete()
        case .deleteMany: planDeleteMany()
        case .reinsert: planReinsert()
        case .deleteAndReinsert: planDeleteAndReinsert()
        case .changeKey: planChangeKey()
        case .rotateKeys: planRotateKeys()
        case .swapUnique: planSwapUnique()
        case .handOverUnique: planHandOverUnique()
        case .savepoints: planSavepoints()
        case .rollback: planRollback()
        case .large: planLarge()
        case .mixed: planMixed()
        case .read: planRead()
        case .preparedInsert: planPreparedInsert()
        case .preparedUpdate: planPreparedUpdate()
        case .preparedDelete: planPreparedDelete()
        case .preparedRead: planPreparedRead()
        case .incrementHot: planIncrementHot()
        }
    }
}

extension OperationKind {
    /// Whether it leaves more rows than it found.
    var isInserting: Bool {
        switch self {
        case .insertOne, .insertMany, .copyIn, .upsert, .reinsert, .preparedInsert, .large: true
        default: false
        }
    }
}
