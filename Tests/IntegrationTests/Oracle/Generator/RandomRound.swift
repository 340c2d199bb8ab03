import PgConnection
import ShadowAlter
import Testing
import ThrowawayServer

/// One random table on one server: rebuilt or changed under a load, and compared with itself or with a twin that PostgreSQL has changed.
struct RandomRound: Sendable {
    enum Outcome: Sendable, Equatable {
        case same
        /// By PostgreSQL and by us; or by us alone, for the reason that is given.
        case refused(String)
        case different(String)
    }

    let table: RandomTable
    let binaries: ServerBinaries

    func run() async throws -> Outcome {
        let database = try await TestDatabase.create("random_table", on: binaries)
        try await make(database, change: "")
        var reference: SchemaDescription?
        var rejection: String?
        if table.change.isEmpty {
            reference = try await SchemaOracle(database: database).describe()
        } else {
            let twin = try await TestDatabase.create("random_twin", on: binaries)
            do {
                try await make(twin, change: "ALTER TABLE \(table.sql) \(table.change)")
                reference = try await SchemaOracle(database: twin).describe()
            } catch let error as ThrowawayServerError {
                rejection = error.description
            }
        }
        do {
            try await migrate(database)
        } catch let refused as Refused {
            let codes = refused.refusals.map(\.code)
            if rejection != nil { return .refused("by both") }
            return codes == ["sql-rejected"] ? .different("\(refused)") : .refused(codes.joined(separator: " "))
        } catch {
            return rejection == nil ? .different("\(error)") : .refused("by PostgreSQL; and \(error)")
        }
        guard let reference else { return .different("PostgreSQL has not accepted it: \(rejection ?? "")") }
        let found = reference.differences(to: try await SchemaOracle(database: database).describe())
        return found.isEmpty ? .same : .different(found.report)
    }

    private func make(_ database: TestDatabase, change: String) async throws {
        let statements = table.setup + [change] + table.dependants + ["VACUUM (ANALYZE)"]
        try await database.psql(
            try KitchenSink.text(.roles) + statements.filter { !$0.isEmpty }.map { $0 + ";\n" }.joined())
    }

    private func migrate(_ database: TestDatabase) async throws {
        let load = RandomLoad(table, database)
        do {
            try await RunningMigration(
                MigrationRequest(table.sql, table.change, name: "random"), database, .pageByPage
            ).summary()
        } catch {
            _ = try? await load.stop()
            throw error
        }
        try await load.stop()
        try await Finalize(connections: database.options).run("random")
    }
}
