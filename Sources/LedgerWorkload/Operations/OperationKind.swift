/// What a client can do in one step: each is one transaction, or one statement outside of one.
public enum OperationKind: String, Sendable, CaseIterable, Hashable {
    case insertOne = "insert"
    case insertMany = "insert of several rows"
    case copyIn = "COPY"
    case upsert
    case update
    case updateToNull = "update to NULL"
    case updateNothing = "update without a change"
    case updateRelative = "increment of an own row"
    case updateToast = "update of a TOASTed value"
    case updateBesideToast = "update beside a TOASTed value"
    case delete
    case deleteMany = "delete of several rows"
    case reinsert = "insert of a deleted key"
    case deleteAndReinsert = "delete and insert of one key in one transaction"
    case changeKey = "change of the key"
    case rotateKeys = "keys moved on from row to row"
    case swapUnique = "UNIQUE values swapped"
    case handOverUnique = "UNIQUE value of a deleted row given to a new one"
    case savepoints
    case rollback
    case large = "large transaction"
    case mixed = "mixed transaction"
    case read
    case preparedInsert = "prepared insert"
    case preparedUpdate = "prepared update"
    case preparedDelete = "prepared delete"
    case preparedRead = "prepared read"
    case incrementHot = "increment of shared rows"
}

/// How often each operation is chosen, relative to the sum of all.
public struct OperationWeights: Sendable, Hashable {
    private var weights: [OperationKind: Int]

    /// Every kind, the usual ones more often than the odd ones.
    public static let mixed = Self([
        .insertOne: 12, .insertMany: 5, .copyIn: 2, .upsert: 5, .update: 20, .updateToNull: 4, .updateNothing: 3,
        .updateRelative: 4, .updateToast: 4, .updateBesideToast: 5, .delete: 9, .deleteMany: 2, .reinsert: 5,
        .deleteAndReinsert: 3, .changeKey: 4, .rotateKeys: 2, .swapUnique: 4, .handOverUnique: 3, .savepoints: 3,
        .rollback: 3, .mixed: 4, .read: 12, .preparedInsert: 3, .preparedUpdate: 6, .preparedDelete: 2,
        .preparedRead: 6, .incrementHot: 8, .large: 1,
    ])

    /// What a shop does all day: short inserts, updates, reads, a few deletes.
    public static let everyday = Self([
        .insertOne: 15, .insertMany: 2, .upsert: 3, .update: 35, .updateToNull: 2, .delete: 8, .read: 20,
        .preparedUpdate: 10, .preparedRead: 10, .incrementHot: 5, .mixed: 3, .swapUnique: 1, .changeKey: 1,
    ])

    /// Negative weights count as 0.
    public init(_ weights: [OperationKind: Int]) {
        self.weights = weights
    }

    public subscript(kind: OperationKind) -> Int {
        get { max(0, weights[kind, default: 0]) }
        set { weights[kind] = newValue }
    }

    /// One kind, by weight. Nothing but updates where every weight is 0.
    func draw(_ random: inout SplitMix64) -> OperationKind {
        let total = OperationKind.allCases.reduce(0) { $0 + self[$1] }
        guard total > 0 else { return .update }
        var ticket = random.number(0...(total - 1))
        for kind in OperationKind.allCases {
            ticket -= self[kind]
            if ticket < 0 { return kind }
        }
        return .update
    }
}
