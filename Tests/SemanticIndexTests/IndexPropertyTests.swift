import Core
import Neighbours
import Semantic
import TestKit
import Testing

@Suite struct IndexPropertyTests {
    /// Vectors that are all alike, in many partitions, under keys that move between them.
    @Test(arguments: 1...6 as ClosedRange<UInt64>) func noPartitionEverAnswersForAnother(seed: UInt64) {
        var source = RecordSource(seed: seed)
        let index = SemanticIndex(width: source.width, capacity: 120_000, kernels: HNSWKernels())
        let shared = source.vector()
        for step in 0..<1000 {
            let partition = Int.random(in: 0..<40, using: &source.random)
            let number = Int.random(in: 0..<600, using: &source.random)
            index.insert(source.record(number, partition: partition, vector: shared), now: 0)
            if step % 5 == 0 { index.remove(RecordSource.key(Int.random(in: 0..<600, using: &source.random))) }
            let asked = RecordSource.key(-1 - Int.random(in: 0..<40, using: &source.random))
            for neighbour in index.nearest(in: asked, to: shared, count: 64, now: 0) {
                #expect(neighbour.record.partition == asked, "seed \(seed), step \(step)")
            }
            #expect(index.stats.bytes <= index.capacity, "seed \(seed), step \(step)")
        }
        #expect(index.stats.counts.evicted > 0)
    }

    @Test func thoseMatchedLongestAgoGiveWay() {
        var source = RecordSource(seed: 1)
        let index = SemanticIndex(width: source.width, capacity: 200_000, kernels: HNSWKernels())
        index.insert(source.record(0), now: 0)
        for number in 1..<2000 {
            index.matched(RecordSource.key(0))
            index.insert(source.record(number, partition: number % 7), now: 0)
        }
        #expect(index.record(under: RecordSource.key(0)) != nil)
        #expect(index.record(under: RecordSource.key(1)) == nil)
        #expect(index.record(under: RecordSource.key(1999)) != nil)
        #expect(index.stats.counts.evicted + index.stats.records == 2000)
    }

    @Test func whatIsNotTaken() {
        var source = RecordSource(seed: 2)
        let index = SemanticIndex(width: 48, capacity: 100_000, kernels: HNSWKernels())
        var other = RecordSource(seed: 3, width: 47)
        #expect(!index.insert(other.record(1), now: 0))
        #expect(!index.insert(source.record(1, expiresAt: 10), now: 10))
        #expect(!index.insert(source.record(1, text: String(repeating: "x", count: 8000)), now: 0))
        #expect(index.stats.counts.refused == 3 && index.stats.records == 0)
        #expect(index.nearest(in: RecordSource.key(-1), to: other.vector(), count: 5, now: 0).isEmpty)
    }

    @Test func vectorsThatAreNone() {
        let index = SemanticIndex(width: 3, capacity: 1 << 20, kernels: HNSWKernels())
        let facts = SemanticFacts(
            tenant: 0, namespace: "", model: "", tags: [], createdAt: 0, expiresAt: .max, generation: 0)
        let partition = RecordSource.key(-1)
        for (number, vector) in [
            [Float.nan, 0, 1], [.infinity, 0, 0], [0, 0, 0], [.leastNonzeroMagnitude, 0, 0], [3, 0, 4],
        ].enumerated() {
            index.insert(
                SemanticRecord(
                    key: RecordSource.key(number), partition: partition, text: "", sketch: QuantizedVector(vector),
                    facts: facts), now: 0)
        }
        let found = index.nearest(in: partition, to: [0.6, 0, 0.8], count: 2, now: 0)
        #expect(found.first?.record.key == RecordSource.key(4))
        #expect(abs((found.first?.similarity ?? 0) - 1) < 0.01)
        #expect(index.nearest(in: partition, to: [.nan, 0, 1], count: 2, now: 0).allSatisfy { !($0.similarity > 0) })
    }

    /// The memory of a partition of one is that of its record and little more.
    @Test func manyTinyPartitions() {
        var source = RecordSource(seed: 4, width: 384)
        let index = SemanticIndex(width: 384, capacity: 64 << 20, kernels: HNSWKernels())
        for number in 0..<1500 { index.insert(source.record(number, partition: number), now: 0) }
        #expect(index.stats.partitions == 1500)
        #expect(index.stats.bytes / 1500 < 1400)
        for number in 0..<1500 {
            let found = index.nearest(in: RecordSource.key(-1 - number), to: source.vector(), count: 3, now: 0)
            #expect(found.map(\.record.key) == [RecordSource.key(number)])
        }
    }

    /// All operations at once; the sanitizer looks on.
    @Test func manyThreads() async {
        let index = SemanticIndex(width: 48, capacity: 2 << 20, kernels: HNSWKernels(), graphRows: 150)
        let clock = ManualClock(wall: 0)
        await withTaskGroup { group in
            for worker in 0..<4 {
                group.addTask {
                    var source = RecordSource(seed: UInt64(worker))
                    for step in 0..<1500 {
                        let number = Int.random(in: 0..<800, using: &source.random)
                        clock.advance(nanoseconds: Duration64.nanosecondsPerMillisecond)
                        let moment = clock.wall()
                        switch Int.random(in: 0..<20, using: &source.random) {
                        case 0..<9:
                            index.insert(
                                source.record(number, partition: number % 3, expiresAt: moment + 3000), now: moment)
                        case 9: index.remove(RecordSource.key(number))
                        case 10: index.sweep(now: moment, budget: 200)
                        case 11: index.matched(RecordSource.key(number))
                        case 12: _ = index.grow(rows: 10)
                        case 13 where step % 10 == 0: index.removeAll { _, facts in facts.tags == ["fifth"] }
                        case 14 where step % 50 == 0:
                            _ = index.snapshot(RecordCodec(matcher: "one", checksum: MixingChecksum())) { _ in true }
                        default:
                            let asked = RecordSource.key(-1 - number % 3)
                            for neighbour in index.nearest(in: asked, to: source.vector(), count: 5, now: moment) {
                                #expect(neighbour.record.partition == asked)
                                #expect(neighbour.record.facts.expiresAt > moment)
                            }
                        }
                    }
                }
            }
        }
        index.sweep(now: .max, budget: .max)
        #expect(index.stats.records == 0 && index.stats.bytes == 0)
    }
}
