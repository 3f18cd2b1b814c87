import Core
import TestKit
import Testing

@testable import Tiers

struct FrequencySketchTests {
    private func key(_ number: UInt64) -> CacheKey {
        var random = SeededRandom(seed: number)
        return CacheKey(random.next(), random.next(), random.next(), random.next())
    }

    @Test(arguments: [0, 1, 2, 7, 16, 40])
    func countsUpToItsLimit(times: Int) {
        var sketch = FrequencySketch()
        for _ in 0..<times { sketch.increment(key(1), entries: 1_000) }
        #expect(sketch.estimate(key(1)) == min(times, 16))
    }

    @Test func neverUnderestimatesBeforeAgeing() {
        var sketch = FrequencySketch()
        let times = { (number: UInt64) in Int(number % 5) }
        for number: UInt64 in 0..<500 {
            for _ in 0..<times(number) { sketch.increment(key(number), entries: 1_000) }
        }
        #expect((0..<500).allSatisfy { sketch.estimate(key($0)) >= times($0) })
        let exact = (0..<500).count { sketch.estimate(key($0)) == times($0) }
        #expect(exact > 400)
    }

    @Test func growthKeepsWhatWasKnown() {
        var sketch = FrequencySketch()
        for number: UInt64 in 0..<200 { for _ in 0..<3 { sketch.increment(key(number), entries: 1_000) } }
        sketch.reserve(slots: 5_000)
        #expect((0..<200).allSatisfy { sketch.estimate(key($0)) >= 3 })
        let strangers = (1_000..<2_000).count { sketch.estimate(key($0)) > 0 }
        #expect(strangers < 300)
    }

    @Test func oldUseIsForgotten() {
        var sketch = FrequencySketch()
        for _ in 0..<16 { sketch.increment(key(1), entries: 100) }
        var seen: [Int] = []
        for number: UInt64 in 2..<40_000 {
            sketch.increment(key(2 + number % 50), entries: 100)
            if seen.last != sketch.estimate(key(1)) { seen.append(sketch.estimate(key(1))) }
        }
        #expect(seen == seen.sorted(by: >))
        #expect(seen.first == 16)
        #expect(seen.last ?? 16 <= 1)
    }
}
