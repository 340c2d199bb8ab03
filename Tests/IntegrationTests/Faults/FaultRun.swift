import Glibc
import PgConnection
import Testing
import ThrowawayServer

@testable import ShadowAlter

/// Plays a story's commands, and lets something happen to one of them.
struct FaultRun: Sendable {
    let database: TestDatabase
    let round: FaultRound

    private struct Wrong: Error, CustomStringConvertible { let description: String }
    /// The program did not come by the place, because the load has written nothing while it copied.
    struct Missed: Error, CustomStringConvertible { let description: String }

    func play(_ commands: [FaultStory.Command]) async throws {
        for (index, command) in commands.enumerated() {
            let process = Mutable<ToolProcess?>(nil)
            let somebody = Beside(database, process: process)
            let beside = Task {
                do {
                    try await command.beside?(somebody)
                } catch {
                    // Without it the program would wait for ever.
                    if !Task.isCancelled { Issue.record("\(round.testDescription): \(error)") }
                    process.value?.send(SIGKILL)
                    throw error
                }
            }
            do {
                try await play(command, isArmed: index == round.command, process)
            } catch {
                beside.cancel()
                _ = try? await beside.value
                await somebody.session.close()
                throw error
            }
            try await beside.value
            await somebody.session.close()
        }
    }

    private func play(
        _ command: FaultStory.Command, isArmed: Bool, _ process: Mutable<ToolProcess?>
    ) async throws {
        func start(_ failpoint: String?) throws -> ToolProcess {
            let started = try ToolProcess(command.arguments, on: database, failpoint: failpoint)
            process.value = started
            return started
        }
        if isArmed {
            let ended = try await round.fault.happen(to: start(round.failpoint), on: database)
            if round.fault.isAsItShouldBe(ended, at: round.point) {
                if !round.goesOn { return }
            } else {
                let wasPassed = ended.error.contains("failpoint \(round.point.name): ")
                if round.needsWritesDuringTheCopy, !wasPassed, ended.exit == 0 {
                    throw Missed(description: "\(round.testDescription): \(ended)")
                }
                // It has gone on by itself.
                guard round.fault != .kill, command.exits.contains(ended.exit ?? -1), wasPassed
                else { throw Wrong(description: "\(round.testDescription): \(ended)") }
                return
            }
        }
        let ended = try await start(nil).ended()
        // The fault came after the last thing that there was to do.
        let isComplete = isArmed && ended.exit == 1 && ended.error.contains("is complete already")
        guard isComplete || ended.exit.map({ command.exits.contains($0) }) == true else {
            throw Wrong(description: "\(round.testDescription), then \(command.arguments): \(ended)")
        }
    }
}

extension FaultRound {
    /// The whole story in a database of its own.
    func run(in server: ThrowawayServer, seed: UInt64) async throws {
        func name() -> String { "fault_\(UInt32.random(in: 0 ... .max))" }
        switch story {
        case .truncated: try await truncated(name(), server)
        case .severalTables: try await severalTables(name(), server)
        default:
            // A copy of a few thousand rows can be over before the clients of a busy machine have had their turn.
            for attempt in 1...Self.attempts {
                do {
                    return try await orders(name(), server, seed)
                } catch is FaultRun.Missed where attempt < Self.attempts {}
            }
        }
    }

    private static let attempts = 5
    /// Without any there is nothing to purge, and the program does not come by.
    var needsWritesDuringTheCopy: Bool { [.pagesPurging, .pagesPurged].contains(point) }

    private func orders(_ name: String, _ server: ThrowawayServer, _ seed: UInt64) async throws {
        let orders = try await FaultOrders.create(name, in: server, seed: seed, adopted: story == .held ? 0 : 1500)
        do {
            try await FaultRun(database: orders.database, round: self).play(story.commands)
            let (side, alter) = story.end
            try await orders.finish(
                side, alter, "\(server.version), \(testDescription), seed \(seed)", hasCrashed: fault == .crash)
        } catch {
            await orders.close()
            throw error
        }
        await orders.close()
    }

    private func truncated(_ name: String, _ server: ThrowawayServer) async throws {
        let database = try await TestDatabase.create(name, in: server)
        try await database.psql(
            "CREATE TABLE item (id int PRIMARY KEY, value text); INSERT INTO item SELECT n, 'v' || n FROM generate_series(1, 3000) n"
        )
        let session = try await TestSession(database)
        try await FaultRun(database: database, round: self).play(story.commands)
        let wrong = try await session.column(
            "(TABLE item EXCEPT ALL TABLE item_blue.item) UNION ALL (TABLE item_blue.item EXCEPT ALL TABLE item) LIMIT 5"
        )
        #expect(wrong == [], "\(testDescription)")
        #expect(try await session.column("SELECT count(*) || ' ' || pg_typeof(min(id)) FROM item") == ["700 bigint"])
        try await Finalize(connections: database.options).run("item")
        try await Remains(session: session).expectNothing()
        await session.close()
        try await server.psql("DROP DATABASE \(name)")
    }

    private func severalTables(_ name: String, _ server: ThrowawayServer) async throws {
        let database = try await TestDatabase.create(name, in: server)
        try await database.psql(FamilyLoad.setup)
        let session = try await TestSession(database)
        let load = FamilyLoad.start(database)
        try await FaultRun(database: database, round: self).play(story.commands)
        try await load.stopAndVerify()
        let twin = try await TestDatabase.create("\(name)_twin", in: server)
        try await twin.psql(FamilyLoad.setup + FamilyScript.text)
        DefinitionOracle.expectSame(
            try await DefinitionOracle(database: database).read(), try await DefinitionOracle(database: twin).read(),
            testDescription)
        try await Remains(session: session).expectNothing()
        await session.close()
        try await server.psql("DROP DATABASE \(name)")
        try await server.psql("DROP DATABASE \(twin.name)")
    }
}
