import FoundationEssentials
import Glibc
import NIOCore
import ShadowAlter
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

/// The socket itself, before a run that only notes what it is asked. What commands do to a migration is tested with real ones.
@Suite(.timeLimit(.minutes(2))) struct ControlSocketTests {
    private struct Place {
        let path = FileManager.default.temporaryDirectory.appending(path: "sa-\(UInt64.random(in: 0 ... .max))").path
        let notebook = Notebook()

        func open(
            _ limits: ClientHandler.Limits = .init(), perSecond: Int = 1000,
            onPanic: @escaping @Sendable () -> Void = {}
        ) async throws -> ControlSocket {
            try await ControlSocket.open(
                path, control: notebook, limits: limits, commandsPerSecond: perSecond, onPanic: onPanic)
        }
    }

    private static func mode(_ path: String) -> UInt32? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    @Test func answersALineAndClosesForAClientThatDoesNot() async throws {
        let place = Place()
        let socket = try await place.open()
        #expect(Self.mode(place.path) == 0o600)
        let client = try RawClient(place.path)
        client.send("pause\n")
        #expect(client.readAll() == SteeringCommand.pause.outcome + "\n")
        #expect(place.notebook.commands.withLock { $0 } == [.pause])
        await socket.close()
        #expect(Self.mode(place.path) == nil, "the file stays behind")
    }

    @Test func answersSeveralLinesInOrderAlsoWithoutTheLastEnd() async throws {
        let place = Place()
        let socket = try await place.open()
        let client = try RawClient(place.path)
        client.send("pause\nset chunk-size=7\nnonsense\nresume")
        client.endInput()
        let lines = client.readAll().split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[2].hasPrefix("ERROR: there is no command 'nonsense'"))
        #expect(place.notebook.commands.withLock { $0 } == [.pause, .set(.chunkSize, "7"), .resume])
        await socket.close()
    }

    @Test func itsOwnClientGetsAnswersAndRefusals() async throws {
        let place = Place()
        let socket = try await place.open()
        let client = ControlClient(path: place.path)
        #expect(try await client.send("chunk-size=?") == "chunk-size=512")
        await #expect {
            try await client.send("status")
        } throws: { error in
            if case ControlClient.Failure.refused = error { true } else { false }
        }
        await socket.close()
        await #expect {
            try await client.send("status")
        } throws: { error in
            if case ControlClient.Failure.unreachable = error { true } else { false }
        }
    }

    @Test func manyClientsAtOnceAreAllAnswered() async throws {
        let place = Place()
        let socket = try await place.open()
        let client = ControlClient(path: place.path)
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<40 { group.addTask { try await client.send("coordinates") } }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(answers.count == 40 && Set(answers).count == 1)
        await socket.close()
    }

    @Test func garbageHarmsNobody() async throws {
        let place = Place()
        let socket = try await place.open()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let client = try RawClient(place.path)
            let bytes = (0..<Int.random(in: 1...3000)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            client.send(bytes)
            client.endInput()
            let answer = client.readAll()
            #expect(answer.split(separator: "\n").allSatisfy { $0.hasPrefix("ERROR: ") })
        }
        #expect(place.notebook.commands.withLock { $0 }.isEmpty)
        #expect(try await ControlClient(path: place.path).send("coordinates").contains("0/1"))
        await socket.close()
    }

    @Test func aLineWithoutEndIsCutOff() async throws {
        let place = Place()
        let socket = try await place.open()
        let client = try RawClient(place.path)
        // More than the socket's own buffers hold, if nobody stopped it.
        let sentAll = client.send([UInt8](repeating: UInt8(ascii: "x"), count: 8 << 20))
        #expect(!sentAll || client.readAll().contains("4096 bytes"))
        #expect(try await ControlClient(path: place.path).send("coordinates").contains("0/1"))
        await socket.close()
    }

    @Test func aClientThatSaysNothingIsLeft() async throws {
        let place = Place()
        var limits = ClientHandler.Limits()
        limits.line = .milliseconds(50)
        let socket = try await place.open(limits)
        let client = try RawClient(place.path)
        client.send("stat")
        #expect(client.readAll().hasPrefix("ERROR: no line came"))
        await socket.close()
    }

    @Test func aFloodIsSlowedAndOthersAreAnswered() async throws {
        let place = Place()
        let socket = try await place.open(perSecond: 50)
        let flood = try RawClient(place.path)
        flood.send(String(repeating: "coordinates\n", count: 5000))
        #expect(try await ControlClient(path: place.path).send("pause") == SteeringCommand.pause.outcome)
        #expect(flood.readAll().contains("lines wait for an answer"))
        await socket.close()
    }

    @Test func moreClientsThanThereIsRoomForAreTurnedAway() async throws {
        let place = Place()
        let socket = try await place.open()
        var idle: [RawClient] = []
        for _ in 0..<64 { idle.append(try RawClient(place.path)) }
        var isTurnedAway = false
        for _ in 0..<500 where !isTurnedAway {
            // Whoever asks takes a place, too, and an idle one may have been turned away for it.
            idle.append(try RawClient(place.path))
            isTurnedAway = (try? await ControlClient(path: place.path).send("coordinates")) == nil
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(isTurnedAway)
        idle.removeAll()
        var isAnswered = false
        for _ in 0..<500 where !isAnswered {
            isAnswered = (try? await ControlClient(path: place.path).send("coordinates")) != nil
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(isAnswered)
        await socket.close()
    }

    @Test func aDeadSocketIsReplacedAndALivingOneIsNot() async throws {
        let place = Place()
        let first = try await place.open()
        await #expect(throws: ControlSocket.Failure.self) { _ = try await place.open() }
        #expect(try await ControlClient(path: place.path).send("coordinates").contains("0/1"))
        // What a run that was killed leaves behind.
        let dead = place.path + ".dead"
        #expect(link(place.path, dead) == 0)
        await first.close()
        #expect(rename(dead, place.path) == 0)
        #expect(throws: RawClient.Failure.self) { _ = try RawClient(place.path) }
        let second = try await place.open()
        #expect(try await ControlClient(path: place.path).send("coordinates").contains("0/1"))
        #expect(Self.mode(place.path) == 0o600)
        await second.close()
    }

    @Test func whatIsNoSocketIsNotTouched() async throws {
        let place = Place()
        try Data("mine".utf8).write(to: URL(filePath: place.path))
        await #expect(throws: ControlSocket.Failure.self) { _ = try await place.open() }
        #expect(try String(contentsOf: URL(filePath: place.path), encoding: .utf8) == "mine")
        try FileManager.default.removeItem(atPath: place.path)
        await #expect(throws: ControlSocket.Failure.self) {
            _ = try await ControlSocket.open("/nonexistent/socket", control: place.notebook) {}
        }
        await #expect(throws: ControlSocket.Failure.self) {
            _ = try await ControlSocket.open("/tmp/" + String(repeating: "x", count: 120), control: place.notebook) {}
        }
    }

    @Test func panicEndsTheProcessAfterItsAnswer() async throws {
        let place = Place()
        let ended = EndCount()
        let socket = try await place.open(onPanic: { ended.count.withLock { $0 += 1 } })
        #expect(try await ControlClient(path: place.path).send("panic").contains("the process ends now"))
        #expect(ended.count.withLock { $0 } == 1)
        await socket.close()
    }
}

private final class EndCount: Sendable {
    let count = Mutex(0)
}
