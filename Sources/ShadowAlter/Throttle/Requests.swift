import Synchronization

/// What other processes ask of a running migration, through the state tables.
final class Requests: Sendable {
    enum Request: String, Sendable {
        case abort
        case cutOver = "cut-over"
    }

    private let isCutOverAllowed: Mutex<Bool>

    init(cutOver: MigrationOptions.CutOverMode) {
        isCutOverAllowed = Mutex(cutOver == .auto)
    }

    func allowCutOver() { isCutOverAllowed.withLock { $0 = true } }

    var mayCutOver: Bool { isCutOverAllowed.withLock { $0 } }
}
