import Core
import Neighbours
import Semantic
import TestKit
import Testing

/// Against a dictionary that is searched from end to end.
@Suite struct IndexModelTests {
    private struct Model {
        var records: [CacheKey: SemanticRecord] = [:]

        func nearest(in partition: CacheKey, to vector: [Float], now: Int64) -> [(key: CacheKey, similarity: Float)] {
            records.values.filter { $0.partition == partition && $0.facts.expiresAt > now }
                .map { ($0.key, $0.sketch.cosine(with: vector)) }.sorted { $0.1 > $1.1 }
        }
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>) func behavesAsADictionary(seed: UInt64) {
        var source = RecordSource(seed: seed)
        let index = SemanticIndex(width: source.width, capacity: 64 << 20, kernels: HNSWKernels())
        var model = Model()
        var now: Int64 = 0
        for step in 0..<3000 {
            switch Int.random(in: 0..<100, using: &source.random) {
            case 0..<50:
                let expiry =
                    Bool.random(using: &source.random) ? .max : now + Int64.random(in: 1...400, using: &source.random)
                let record = source.record(
                    Int.random(in: 0..<400, using: &source.random),
                    partition: Int.random(in: 0..<5, using: &source.random),
                    expiresAt: expiry, tokens: step % 7 == 0 ? 3 : 0)
                #expect(index.insert(record, now: now))
                model.records[record.key] = record
            case 50..<65:
                let key = RecordSource.key(Int.random(in: 0..<400, using: &source.random))
                let wasThere = model.records.removeValue(forKey: key)
                if wasThere?.facts.expiresAt ?? .max > now { #expect(index.remove(key) == (wasThere != nil)) }
                index.remove(key)
            case 65..<66:
                let tag = ["fifth"]
                index.removeAll { _, facts in facts.tags == tag }
                model.records = model.records.filter { $0.value.facts.tags != tag }
            case 66..<70: index.sweep(now: now, budget: 100)
            case 70..<75: now += 10
            default:
                let partition = RecordSource.key(-1 - Int.random(in: 0..<5, using: &source.random))
                let vector = source.vector()
                let found = index.nearest(in: partition, to: vector, count: 5, now: now)
                let wanted = model.nearest(in: partition, to: vector, now: now).prefix(5)
                #expect(found.map(\.record.key) == wanted.map(\.key), "seed \(seed), step \(step)")
                for neighbour in found {
                    #expect(neighbour.record == model.records[neighbour.record.key], "seed \(seed), step \(step)")
                }
            }
        }
        index.sweep(now: now, budget: .max)
        #expect(index.stats.records == model.records.values.count { $0.facts.expiresAt > now })
        for key in model.records.keys { index.remove(key) }
        #expect(index.stats.records == 0 && index.stats.partitions == 0 && index.stats.bytes == 0, "seed \(seed)")
    }
}
