import Core
import TestKit
import Testing

@testable import Warmup

@Suite struct HeavyHittersTests {
    private func key(_ number: Int) -> CacheKey {
        // Spread as digests are, so that the table's probing is met as it will be.
        var random = SeededRandom(seed: UInt64(number))
        return CacheKey(random.next(), random.next(), random.next(), random.next())
    }

    /// Draws so that number n comes with probability proportional to 1/(n+1).
    private func zipf(_ count: Int, below limit: Int, _ random: inout SeededRandom) -> [Int] {
        var bounds: [Double] = []
        for rank in 1...limit { bounds.append((bounds.last ?? 0) + 1 / Double(rank)) }
        return (0..<count).map { _ in
            let drawn = Double(random.next() >> 11) / Double(1 << 53) * bounds[limit - 1]
            return bounds.firstIndex { $0 > drawn } ?? limit - 1
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func boundsHoldAndTheTopIsFound(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let stream = zipf(20_000, below: 4_000, &random)
        var sketch = HeavyHitters(capacity: 512)
        var exact: [CacheKey: Int] = [:]
        for number in stream {
            let key = key(number)
            exact[key, default: 0] += 1
            sketch.add(key, .chat, weight: 1, count: 1) { _ in nil }
            #expect(sketch.counters.count <= 512)
        }
        #expect(!sketch.isExact)
        let held = Dictionary(uniqueKeysWithValues: sketch.counters.map { ($0.key, $0) })
        for (key, count) in exact {
            let weight = Double(count)
            if let counter = held[key] {
                #expect(counter.weight <= weight && weight <= counter.weight + counter.error, "seed \(seed)")
                #expect(counter.count == Int(counter.weight))
            } else {
                #expect(weight <= sketch.floor, "seed \(seed): a key that is not held weighs more than the floor")
            }
        }
        // With half of the counters dropped at a time, the floor is what Space-Saving with a quarter has at worst.
        #expect(sketch.floor <= Double(stream.count) / 128)
        let best = exact.values.sorted(by: >)[49]
        let found = Set(sketch.ranked().prefix(50).map(\.key))
        let right = exact.filter { $0.value >= best }.keys.filter(found.contains).count
        #expect(right >= 49, "seed \(seed)")
    }

    @Test func countsAreExactBelowCapacity() {
        var random = SeededRandom(seed: 9)
        var sketch = HeavyHitters(capacity: 300)
        var exact: [CacheKey: Int] = [:]
        for _ in 0..<5_000 {
            let key = key(Int(random.next() % 300))
            exact[key, default: 0] += 2
            sketch.add(key, .chat, weight: 2, count: 2) { _ in nil }
        }
        #expect(sketch.isExact && sketch.insertions == exact.count)
        for counter in sketch.counters { #expect(counter.count == exact[counter.key] && counter.error == 0) }
    }

    @Test func samplesAreAskedForUntilThereIsOne() {
        var sketch = HeavyHitters(capacity: 4)
        var asked: [Int] = []
        for _ in 0..<4 {
            sketch.add(key(1), .chat, weight: 1, count: 1) { count in
                asked.append(count)
                return count == 3 ? LineLocation(source: 1, offset: 2, length: 3) : nil
            }
        }
        #expect(asked == [1, 2, 3])
        #expect(sketch.counters[0].sample == LineLocation(source: 1, offset: 2, length: 3))
    }

    @Test(arguments: [1, 5, 6] as [UInt64])
    func selectionIsThatOfSorting(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for count in 1...200 {
            let values = (0..<count).map { _ in Double(random.next() % 20) }
            let rank = Int(random.next() % UInt64(count))
            var copy = values
            #expect(quickselect(&copy, rank) == values.sorted()[rank], "seed \(seed), \(count) values")
        }
    }

    @Test func weightsHalve() {
        var decay = Decay(halfLife: 1_000)
        var scales: [Double] = []
        let weights = [0, 1_000, 2_000, -1_000].map { decay.weight(at: $0) { scales.append($0) } }
        #expect(weights == [1, 2, 4, 0.5] && scales.isEmpty)
        #expect(decay.weight(at: nil) { _ in } == 0.5)
        #expect(decay.weight(at: 600_000) { scales.append($0) } == 1)
        #expect(scales.count == 1 && scales[0] > 0 && scales[0] < 1e-150)
        #expect(decay.weight(at: Int64.max) { scales.append($0) } == 1)
        #expect(decay.weight(at: Int64.min) { scales.append($0) } >= 0)
    }
}
