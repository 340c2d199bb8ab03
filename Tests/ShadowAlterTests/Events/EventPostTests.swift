import Logging
import Synchronization
import Testing

@testable import ShadowAlter

@Suite("Events are told in their order", .timeLimit(.minutes(1))) struct EventPostTests {
    /// Writes down what it is told; stands still while its gate is closed.
    private final class Witness: MigrationObserver {
        struct No: Error, CustomStringConvertible { let description = "no" }

        private let told = Mutex<[MigrationEvent.Kind]>([])
        private let isOpen = Mutex(true)
        private let vetoes: Bool

        init(isOpen: Bool = true, vetoes: Bool = false) {
            self.vetoes = vetoes
            self.isOpen.withLock { $0 = isOpen }
        }

        var kinds: [MigrationEvent.Kind] { told.withLock { $0 } }
        func open() { isOpen.withLock { $0 = true } }

        func observe(_ event: MigrationEvent, in scene: EventScene) async throws {
            told.withLock { $0.append(event.kind) }
            while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
            if vetoes { throw No() }
        }

        func waitFor(_ count: Int) async throws {
            while kinds.count < count { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private func post(_ witness: Witness?) -> EventPost {
        var options = MigrationOptions()
        options.observer = witness
        return EventPost(
            MigrationRequest(change: .alter(table: "item", clauses: "")), options: options, status: StatusBox(),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private let failure = MigrationEvent.failure(MigrationFailure(CancellationError()))

    @Test func oneAfterTheOtherAndTheLastIsAwaited() async throws {
        let witness = Witness(isOpen: false)
        let post = post(witness)
        post.post(.startup)
        post.post(.validated)
        post.post(.beforeCopy)
        try await witness.waitFor(1)
        #expect(witness.kinds == [.startup])
        witness.open()
        await post.end(.success)
        #expect(witness.kinds == [.startup, .validated, .beforeCopy, .success])
    }

    @Test func aStatusIsLeftOutWhileAnythingWaits() async throws {
        let witness = Witness(isOpen: false)
        let post = post(witness)
        post.post(.startup)
        for _ in 0..<5 { post.post(.status) }
        for _ in 0..<200 {
            post.post(.throttle(.init(isBeginning: true, condition: .throttled, reason: "")))
        }
        witness.open()
        await post.end(.success)
        #expect(!witness.kinds.contains(.status))
        #expect(witness.kinds.count { $0 == .throttle } < 60)
        #expect(witness.kinds.last == .success)
    }

    @Test func theCutOverIsToldOnce() async {
        let witness = Witness()
        let post = post(witness)
        post.post(.cutOver)
        post.post(.cutOver)
        await post.end(.success)
        #expect(witness.kinds == [.cutOver, .success])
    }

    @Test func onlyTheQuestionIsAnswered() async throws {
        let question = try #require(post(Witness(vetoes: true)).ask())
        #expect(await question.veto == "no")
        #expect(question.isAnswered)
        let other = try #require(post(Witness()).ask())
        #expect(await other.veto == nil)
        #expect(post(nil).ask() == nil)
        // Whoever objects to anything else is not listened to.
        let witness = Witness(vetoes: true)
        await post(witness).end(.success)
        #expect(witness.kinds == [.success])
    }

    @Test func aQuestionThatIsWithdrawnEnds() async throws {
        let witness = Witness(isOpen: false)
        let question = try #require(post(witness).ask())
        try await witness.waitFor(1)
        question.withdraw()
        #expect(await question.veto == nil)
    }

    /// What is at work and what waits is ended, and the failure is told all the same.
    @Test func anInterruptionSparesTheLast() async throws {
        let witness = Witness(isOpen: false)
        let post = post(witness)
        post.post(.startup)
        post.post(.validated)
        try await witness.waitFor(1)
        let run = Task { [failure] in
            while !Task.isCancelled { await Task.yield() }
            await post.end(failure)
        }
        run.cancel()
        try await witness.waitFor(2)
        #expect(witness.kinds == [.startup, .failure])
        witness.open()
        await run.value
    }

    /// The run is over but for its hooks.
    @Test func anInterruptionOfTheEndEndsIt() async throws {
        let witness = Witness(isOpen: false)
        let post = post(witness)
        post.post(.cutOver)
        let run = Task { await post.end(.success) }
        try await witness.waitFor(1)
        run.cancel()
        await run.value
        #expect(witness.kinds == [.cutOver])
    }

    @Test func whatNobodyKnowsHasACodeAsWell() {
        struct Unknown: Error, CustomStringConvertible { let description = "the moon is full" }
        let failure = MigrationFailure(Unknown())
        #expect(failure.code == "failed" && failure.message == "the moon is full")
    }

    @Test func codesHaveHyphens() {
        #expect(MigrationFailure.hyphenated("badData") == "bad-data")
        #expect(MigrationFailure.hyphenated("walLimit") == "wal-limit")
        #expect(MigrationFailure(CancellationError()).code == "interrupted")
        let error = MigrationError(.deadlineMissed, "m", state: "s", advice: "a")
        #expect(MigrationFailure(error) == .init(code: "deadline-missed", message: "m", state: "s", advice: "a"))
    }
}

@Suite("Beginning and end of a throttle") struct StoppageTests {
    @Test func eachIsToldOnce() {
        let told = Mutex<[String]>([])
        let throttle = Throttle(lanes: 1) { stoppage in
            told.withLock { $0.append("\(stoppage.isBeginning ? "+" : "-")\(stoppage.condition) \(stoppage.reason)") }
        }
        throttle.set(.load, .init(.throttled, "a"))
        throttle.set(.load, .init(.throttled, "b"))
        throttle.set(.query, nil)
        throttle.set(.operator, .init(.paused, "c"))
        throttle.set(.operator, .init(.throttled, "d"))
        throttle.set(.operator, nil)
        throttle.set(.load, nil)
        throttle.set(.load, nil)
        #expect(told.withLock { $0 } == ["+throttled a", "+paused c", "+throttled d", "+throttled b", "-throttled b"])
    }
}
