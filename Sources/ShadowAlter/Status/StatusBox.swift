import PgConnection
import Synchronization

/// What a running migration knows about itself, for the progress display. Written by all parts of the engine.
public final class StatusBox: Sendable {
    public struct Snapshot: Sendable {
        public struct Table: Sendable {
            public var name: QualifiedName
            public var pages: Int64 = 0
            public var pagesCopied: Int64 = 0
            public var rowsCopied: Int64 = 0
            public var rowsEstimated: Int64?
        }

        public var phase: Phase = .planned
        /// What is going on, in a few words; nil when the phase says it all.
        public var reason: String?
        /// Somebody else has to do something first: end a transaction, ask for the cut-over.
        public var isWaiting = false
        /// Why fewer lanes copy than could.
        public var slowdown: String?
        /// How many lanes may copy; nil outside of the copy.
        var lanes: Int?
        var stop: Throttle.Stop?
        public var tables: [Table] = []
        public var indexesToBuild = 0
        public var indexesBuilt = 0
        public var indexWork = IndexWork()
        /// 0 to 1; nil while nothing is compared.
        public var verifiedPart: Double?
        public var estimate = Estimate()
        public var keysRefreshed: Int64 = 0
        public var spooledKeys: Int64 = 0
        public var retainedWAL: Int64?
        public var streamLag: Int64?
        public var cutOver = MigrationStatus.CutOver()
        public var verify = MigrationStatus.Verify()
        /// While the old tables follow: why they cannot come back now; nil: they can.
        public var rollbackObstacle: String?
        /// The old tables are dropped.
        public var isFinalized = false
        /// How long each phase took, in the order in which they ended.
        public var timings: [Timing] = []

        public var condition: MigrationStatus.Condition {
            stop?.condition ?? (slowdown != nil ? .throttled : isWaiting ? .waiting : .running)
        }

        /// What there is to say about the condition, or about what is going on.
        public var currentReason: String? { stop?.reason ?? reason ?? slowdown }

        /// Whether several lanes share the server with the application.
        var isInLanes: Bool { phase == .copying || verify.outcome == .running }

        public var rowsCopied: Int64 { tables.reduce(0) { $0 + $1.rowsCopied } }

        /// Of all tables.
        var pages: Int64 { tables.reduce(0) { $0 + $1.pages } }
        var pagesCopied: Int64 { tables.reduce(0) { $0 + $1.pagesCopied } }

        /// The part of all pages that is copied, 0 to 1; nil before the pages are counted.
        public var copyFraction: Double? {
            guard pages > 0 else { return nil }
            return min(1, Double(pagesCopied) / Double(pages))
        }

        private mutating func change(_ name: QualifiedName, _ body: (inout Table) -> Void) {
            guard let index = tables.firstIndex(where: { $0.name == name }) else { return }
            body(&tables[index])
        }

        mutating func restart(_ name: QualifiedName, pages: Int64) {
            change(name) {
                $0.pages = pages
                $0.pagesCopied = 0
                $0.rowsCopied = 0
            }
        }

        mutating func resume(_ name: QualifiedName, pages: Int64, remaining: Int64, rows: Int64) {
            change(name) {
                $0.pages = pages
                $0.pagesCopied = pages - remaining
                $0.rowsCopied = rows
            }
        }

        mutating func copied(_ name: QualifiedName, rows: Int64, pages: Int64) {
            change(name) {
                $0.rowsCopied += rows
                $0.pagesCopied += pages
            }
        }
    }

    public struct Timing: Sendable, Codable, Equatable {
        public var phase: String
        public var seconds: Double
    }

    private let state = Mutex(Snapshot())

    public init() {}

    public var snapshot: Snapshot { state.withLock { $0 } }

    func update(_ body: (inout Snapshot) -> Void) {
        state.withLock { body(&$0) }
    }
}
