import LedgerWorkload
import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// The load on a partitioned table, beside whatever is done to it.
struct PartitionLoad: Sendable {
    let workload: Workload
    private let database: TestDatabase

    /// A statement that names thousands of keys is planned for seconds where rows are in partitions.
    private static var everythingButLarge: OperationWeights {
        var weights = OperationWeights.mixed
        weights[.large] = 0
        return weights
    }

    /// Runs the migration in the middle of the load: no acknowledged write is missing afterwards, and the load has seen no error.
    static func run(
        beside request: MigrationRequest, _ database: TestDatabase, _ table: WorkloadTable? = nil,
        weights: OperationWeights? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let load = try await start(database, table, weights: weights)
        do {
            try await load.proceed()
            let summary = try await RunningMigration(request, database, .unhurried).summary()
            #expect(
                summary.keysRefreshed > 0, "no row was changed during the migration", sourceLocation: sourceLocation)
            try await load.proceed()
        } catch {
            await load.workload.stop()
            throw error
        }
        try await load.finish(sourceLocation: sourceLocation)
    }

    static func start(
        _ database: TestDatabase, _ table: WorkloadTable? = nil, weights: OperationWeights? = nil
    ) async throws -> Self {
        let workload = try await Workload.start(
            table: table ?? PartitionedOrders.table(), options: database.options,
            settings: WorkloadSettings(
                seed: try WorkloadSeed.choose(), clients: 3, rate: 100, weights: weights ?? everythingButLarge,
                rowsPerClient: 900, adoptedRows: 1500),
            announce: { print("\(database.server.binaries): \($0)") })
        return Self(workload: workload, database: database)
    }

    func proceed(_ operations: Int = 150) async throws {
        let start = workload.progress.operations
        try await eventually("the load goes on") {
            workload.progress.operations >= start + operations || workload.progress.errors > 0
        }
    }

    func finish(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let report = await workload.stop()
        #expect(report.errorCount == 0, "\(report)", sourceLocation: sourceLocation)
        let found = try await workload.verify(on: database.options, canonical: .after)
        #expect(
            found.isEmpty, "seed \(report.seed): \(found.count), \(found.prefix(5))", sourceLocation: sourceLocation)
    }
}
