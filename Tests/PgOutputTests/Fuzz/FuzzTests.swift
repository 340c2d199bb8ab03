import PgOutput
import Testing

/// Whatever arrives, `decode` returns or throws; a trap would end the test process. Nothing that decodes is lost: it
/// re-encodes to the very bytes it came from. A failure prints what it takes to repeat it.
@Suite("Fuzz")
struct FuzzTests {
    private enum Outcome {
        case decoded
        case refused
    }

    @Test func damagedAndRandomMessages() throws {
        let plan = try FuzzPlan()
        print("pgoutput fuzz: SHADOW_ALTER_SEED=\(plan.seed)")
        var generator = SeededGenerator(seed: plan.seed)
        var iterations = 0
        var decoded = 0
        while plan.goesOn(after: iterations) {
            let type = MessageType.allCases[iterations % MessageType.allCases.count]
            let message = generator.message(of: type)
            let bytes = message.encoded
            let place = "SHADOW_ALTER_SEED=\(plan.seed), iteration \(iterations)"
            try #require(try decode(bytes) == message, "\(place): \(bytes)")
            try #require(try readThroughFrames(bytes).map { $0 == message } ?? true, "\(place): \(bytes)")

            for input in [
                generator.mutate(bytes), generator.mutate(bytes), generator.bytes(),
                [type.rawValue] + generator.bytes(),
            ]
            where try outcome(of: input, place) == .decoded {
                decoded += 1
            }
            iterations += 1
        }
        print("pgoutput fuzz: \(iterations) iterations, \(decoded) of \(4 * iterations) damaged inputs still decoded")
        // If nothing at all had got through, the second half of the promise would have been tested on nothing.
        #expect(decoded > 0)
    }

    private func outcome(of input: [UInt8], _ place: String) throws -> Outcome {
        var decoder = PgOutputDecoder()
        var result: Result<PgOutputMessage, PgOutputError>
        do throws(PgOutputError) {
            result = .success(try decoder.decode(input))
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let message):
            try #require(message.encoded == input, "\(place): \(input) became \(message)")
            let row = try readThroughFrames(input)
            try #require(row == nil || row == message, "\(place): \(input): the layers differ")
            return .decoded
        case .failure(let error):
            try #require((0...input.count).contains(error.offset), "\(place): \(input): \(error)")
            try #require(!error.description.isEmpty)
            if let type = error.messageType, [.insert, .update, .delete].contains(type) {
                let frameError = #expect(throws: PgOutputError.self, "\(place): \(input)") {
                    try readThroughFrames(input)
                }
                try #require(frameError == error, "\(place): \(input)")
            }
            return .refused
        }
    }

    @Test func theSameSeedGivesTheSameMessages() throws {
        let plan = try FuzzPlan(environment: ["SHADOW_ALTER_SEED": "0xfeed"])
        #expect(plan.seed == 0xFEED)
        func inputs() -> [[UInt8]] {
            var generator = SeededGenerator(seed: plan.seed)
            return MessageType.allCases.map { generator.mutate(generator.message(of: $0).encoded) }
        }
        #expect(inputs() == inputs())
    }
}
