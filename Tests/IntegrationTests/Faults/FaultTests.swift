import Foundation
import Testing
import ThrowawayServer

@testable import ShadowAlter

extension LiveMigrations {
    /// What else than `kill -9` can come over a run, in each of its phases.
    @Suite(.serialized, .timeLimit(.minutes(15))) struct FaultTests {
        /// The server's machine loses power: what was acknowledged is there, and the same command goes on. One round after the
        /// other, each with the recovery of a server.
        @Test(arguments: try await Servers.outermost().enumerated().map { ($0, $1) })
        func aServerCrash(_ number: Int, _ binaries: ServerBinaries) async throws {
            let server = try await ThrowawayServer.start(binaries, settings: ["fsync": "on"])
            func rounds(_ story: FaultStory, _ points: [Failpoint], _ number: Int = 1) -> [FaultRound] {
                points.map { FaultRound(story, $0, number, fault: .crash) }
            }
            let all =
                rounds(
                    .forward,
                    [
                        .recorded, .slotCreated, .spooled, .chunkInserted, .chunkCopied, .purged, .indexBuilt,
                        .refreshed, .prepared, .verified, .becameReady, .committing, .committed, .slotDropped,
                        .settling,
                    ])
                + rounds(.rollback, [.bakeOpened, .bakeReady])
                + rounds(.rollback, [.prepared, .committing, .committed], 2)
                + [FaultRound(.forward, .pieceDropped, command: 1, fault: .crash)]
            try await FaultRounds(try await FaultRounds.share(all, number), in: server).run(atOnce: 1)
            try await server.stop()
        }

        /// One of the run's sessions is ended by somebody: the stream comes back by itself, everything else by the same command.
        @Test(arguments: try await Servers.outermost().enumerated().map { ($0, $1) })
        func anEndedSession(_ number: Int, _ binaries: ServerBinaries) async throws {
            func rounds(
                _ point: Failpoint, _ roles: [SessionRole], _ story: FaultStory = .forward, _ number: Int = 1
            ) -> [FaultRound] {
                roles.map { FaultRound(story, point, number, fault: .terminate($0)) }
            }
            let common: [SessionRole] = [.control, .spool, .watermark, .stream]
            let all =
                rounds(.chunkInserted, common + [.copy, .throttle]) + rounds(.indexBuilt, common + [.index])
                + rounds(.refreshing, common + [.refresh]) + rounds(.verificationBegun, common + [.refresh])
                + rounds(.locked, common + [.cutOver]) + rounds(.committing, [.control, .stream, .cutOver])
                + rounds(.committed, [.control, .cutOver]) + rounds(.settling, [.control])
                + rounds(.bakeReady, common + [.refresh], .rollback)
                + rounds(.committing, [.control, .stream, .cutOver], .rollback, 2)
            try await FaultRounds(
                try await FaultRounds.share(all, number), in: SharedServers.server(binaries)
            ).run()
        }

        /// The answer to COMMIT is lost, where it was made and where it was not: the catalog says which.
        @Test(arguments: try await Servers.outermost())
        func anUnansweredCommit(_ binaries: ServerBinaries) async throws {
            func rounds(_ story: FaultStory, _ points: [Failpoint], _ number: Int = 1) -> [FaultRound] {
                points.map { FaultRound(story, $0, number, fault: .lost) }
            }
            try await FaultRounds(
                rounds(.forward, [.committing, .committed]) + rounds(.rollback, [.committing, .committed], 2)
                    + rounds(.severalTables, [.committing, .committed])
                    + rounds(.native, [.nativeCommitting, .nativeCommitted]),
                in: SharedServers.server(binaries)
            ).run()
        }

        /// Ctrl-C, or a service manager's SIGTERM.
        @Test(arguments: try await Servers.outermost())
        func aSignal(_ binaries: ServerBinaries) async throws {
            func rounds(_ story: FaultStory, _ points: [Failpoint], _ number: Int = 1) -> [FaultRound] {
                points.enumerated().map { index, point in
                    FaultRound(story, point, number, fault: .signal(index % 2 == 0 ? SIGINT : SIGTERM))
                }
            }
            try await FaultRounds(
                rounds(
                    .forward,
                    [
                        .recorded, .published, .chunkInserted, .purging, .indexBuilt, .refreshing, .analyzed,
                        .preparing,
                        .verificationBegun, .becameReady, .cuttingOver, .locked, .slotDropped, .settling,
                    ]) + rounds(.rollback, [.bakeReady, .catalogRecorded])
                    + rounds(.rollback, [.preparing, .rehearsed], 2),
                in: SharedServers.server(binaries)
            ).run()
        }
    }
}
