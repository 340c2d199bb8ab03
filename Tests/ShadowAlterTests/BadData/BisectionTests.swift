import Testing

@testable import ShadowAlter

struct BisectionTests {
    /// Which of 1,000 fail, and how often was tried.
    private func failing(_ bad: Set<Int>, limit: Int = .max) async throws -> (found: [Int], trials: Int) {
        var trials = 0
        let found = try await Bisection.failing(Array(0..<1000), limit: limit) { part -> Int? in
            trials += 1
            return part.first { bad.contains($0) }
        }
        #expect(found.allSatisfy { $0.item == $0.failure })
        return (found.map(\.item), trials)
    }

    @Test func nothingFailsAtTheFirstTrial() async throws {
        let (found, trials) = try await failing([])
        #expect(found.isEmpty && trials == 1)
    }

    @Test func oneIsFoundInFewTrials() async throws {
        for bad in [0, 1, 499, 500, 998, 999] {
            let (found, trials) = try await failing([bad])
            #expect(found == [bad])
            #expect(trials <= 21)
        }
    }

    @Test func allAreFoundInTheirOrder() async throws {
        #expect(try await failing(Set(0..<1000)).found == Array(0..<1000))
        #expect(try await failing([3, 4, 700]).found == [3, 4, 700])
    }

    @Test func itEndsAtTheLimit() async throws {
        let (found, trials) = try await failing(Set(0..<1000), limit: 3)
        #expect(found == [0, 1, 2] && trials < 20)
    }

    @Test func ofNothingNothingIsTried() async throws {
        let found = try await Bisection.failing([Int](), limit: 9) { _ -> Int? in 1 }
        #expect(found.isEmpty)
    }
}
