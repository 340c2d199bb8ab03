import Benchmark
import PgOutput

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: Measurement.all, warmupIterations: 3, maxDuration: .milliseconds(300), maxIterations: 1000,
        thresholds: [Measurement.allocations: Measurement.exact, Measurement.shortfall: Measurement.exact])

    for recipe in StreamRecipe.all {
        Benchmark("key-only-\(recipe.name)") { benchmark, stream in
            var reader = KeyReader()
            try Measurement.pass(benchmark, over: stream) {
                try stream.eachMessage { try reader.read($0) }
            }
            blackHole(reader.keyBytes)
        } setup: {
            recipe.make()
        }
        Benchmark("whole-message-\(recipe.name)") { benchmark, stream in
            var decoder = PgOutputDecoder()
            try Measurement.pass(benchmark, over: stream) {
                try stream.eachMessage { blackHole(try decoder.decode($0)) }
            }
        } setup: {
            recipe.make()
        }
    }

    // Whoever believes a count of zero wants to see that the counter counts.
    Benchmark("control-one-allocation-per-message") { benchmark, stream in
        Measurement.pass(benchmark, over: stream) {
            stream.eachMessage { blackHole([Int](repeating: $0.byteCount, count: 4)) }
        }
    } setup: {
        MessageStream { _ in [UInt8](repeating: 0, count: 64) }
    }
}
