import Core
import TestKit
import Testing

@Suite struct HistogramTests {
    @Test func edgesAreContiguousAndClosedAbove() throws {
        for step in 0..<HistogramScale.stepCount - 1 {
            let upper = try #require(HistogramScale.upperEdge(of: step))
            #expect(HistogramScale.step(ofNanoseconds: upper) == step)
            #expect(HistogramScale.step(ofNanoseconds: upper + 1) == step + 1)
            #expect(HistogramScale.lowerEdge(of: step + 1) == upper)
        }
    }

    @Test(
        arguments: [
            (.min, 0), (-1, 0), (0, 0), (1, 0), (1_000, 0), (1_001, 1),
            (1_000_000_000_000, HistogramScale.stepCount - 2), (1_000_000_000_001, HistogramScale.stepCount - 1),
            (.max, HistogramScale.stepCount - 1),
        ] as [(Int64, Int)])
    func extremes(duration: Int64, step: Int) {
        #expect(HistogramScale.step(ofNanoseconds: duration) == step)
    }

    @Test func stepsAreAtMostATenthOfTheirLowerEdge() throws {
        for step in 1..<HistogramScale.stepCount - 1 {
            let (lower, upper) = (HistogramScale.lowerEdge(of: step), try #require(HistogramScale.upperEdge(of: step)))
            #expect((upper - lower) * 10 <= lower)
        }
    }

    @Test func everyDurationFallsBetweenTheEdgesOfItsStep() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<100_000 {
            let duration = Int64(random.next() >> UInt64.random(in: 20...60, using: &random))
            let step = HistogramScale.step(ofNanoseconds: duration)
            let upper = HistogramScale.upperEdge(of: step) ?? .max
            let fits = duration <= upper && (duration > HistogramScale.lowerEdge(of: step) || duration == 0)
            #expect(fits, "seed \(seed): \(duration) in step \(step)")
        }
    }

    @Test func exposedBoundsLieOnEdges() {
        for bound in Exposition.bounds {
            #expect(HistogramScale.upperEdge(of: HistogramScale.step(ofNanoseconds: bound)) == bound)
        }
        #expect(Exposition.bounds.first == 10_000)
        #expect(Exposition.bounds.last == 100_000_000_000)
    }

    /// Against sorting: quantiles within 5 %, counts below every exposed bound exact.
    @Test(arguments: [1, 2, 3, 1_000, 20_000])
    func agreesWithSorting(count: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let registry = MetricsRegistry(version: "test")
        let block = registry.makeBlock()
        var durations: [Int64] = []
        for _ in 0..<count {
            // Spread evenly over the powers of two from 1 µs to about 18 minutes.
            let duration = (Int64(1_024) << Int64.random(in: 0..<30, using: &random)) / 1_000 * 999
            durations.append(max(1_001, duration + Int64.random(in: 0...duration, using: &random)))
        }
        for duration in durations where duration <= 1_000_000_000_000 {
            block.countRequest(.chat, .hit, status: 200, duration: duration)
        }
        durations = durations.filter { $0 <= 1_000_000_000_000 }.sorted()
        let reading = registry.histogram(.requestDuration, series: Outcome.Kind.hit.labelIndex)
        #expect(reading.count == UInt64(durations.count))
        #expect(reading.sumNanoseconds == UInt64(durations.reduce(0, +)))
        for fraction in [0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0] where !durations.isEmpty {
            let rank = max(1, Int((Double(durations.count) * fraction).rounded(.up)))
            let exact = Double(durations[rank - 1])
            let estimate = Double(try #require(reading.quantile(fraction)))
            #expect(
                abs(estimate - exact) <= exact * 0.05, "seed \(seed): quantile \(fraction), \(estimate) for \(exact)")
        }
        for bound in Exposition.bounds {
            #expect(reading.count(upTo: bound) == UInt64(durations.count { $0 <= bound }), "seed \(seed): \(bound)")
        }
    }

    @Test func anEmptyHistogramHasNoQuantile() {
        #expect(HistogramReading().quantile(0.5) == nil)
        #expect(HistogramReading().count == 0)
    }
}
