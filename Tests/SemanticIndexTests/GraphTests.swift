import Core
import Neighbours
import Semantic
import TestKit
import Testing

@Suite struct GraphTests {
    private static let width = 64
    private static let graphRows = 2000

    /// Questions in families, as people ask them.
    private struct Families {
        var source: RecordSource
        var centres: [[Float]]

        init(seed: UInt64) {
            var source = RecordSource(seed: seed, width: GraphTests.width)
            centres = (0..<60).map { _ in source.vector() }
            self.source = source
        }

        mutating func vector() -> [Float] {
            let centre = centres[Int.random(in: 0..<centres.count, using: &source.random)]
            let noise = source.vector()
            let raw = centre.indices.map { centre[$0] + 0.7 * noise[$0] }
            let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return raw.map { $0 / length }
        }
    }

    private func filled(_ families: inout Families, _ count: Int) -> SemanticIndex {
        let index = SemanticIndex(
            width: GraphTests.width, capacity: 256 << 20, kernels: HNSWKernels(links: 8, buildBreadth: 40),
            graphRows: GraphTests.graphRows)
        for number in 0..<count { index.insert(families.source.record(number, vector: families.vector()), now: 0) }
        return index
    }

    private func recall(_ index: SemanticIndex, _ families: inout Families, _ records: [SemanticRecord]) -> Double {
        var hits = 0
        for _ in 0..<100 {
            let vector = families.vector()
            let best = records.map { $0.sketch.cosine(with: vector) }.max() ?? 0
            let found = index.nearest(in: RecordSource.key(-1), to: vector, count: 3, now: 0)
            #expect(Set(found.map(\.record.key)).count == found.count)
            if let similarity = found.first?.similarity, similarity >= best - 1e-5 { hits += 1 }
        }
        return Double(hits) / 100
    }

    private func records(_ index: SemanticIndex, _ numbers: Range<Int>) -> [SemanticRecord] {
        numbers.compactMap { index.record(under: RecordSource.key($0)) }
    }

    @Test func aLargePartitionGrowsAGraphAndLosesIt() {
        var families = Families(seed: 1)
        let count = GraphTests.graphRows + 500
        let index = filled(&families, count)
        #expect(index.stats.graphs == 0)
        let before = index.stats.bytes
        #expect(index.grow(rows: 900))
        #expect(index.stats.graphs == 1 && index.stats.bytes > before)
        // Half of it is in the graph, the other half is scanned.
        #expect(recall(index, &families, records(index, 0..<count)) > 0.97)
        while index.grow(rows: 900) {}
        #expect(recall(index, &families, records(index, 0..<count)) > 0.97)

        // Two thirds go: what is left is scanned again.
        for number in 0..<count where number % 3 != 0 { index.remove(RecordSource.key(number)) }
        let left = records(index, 0..<count)
        #expect(recall(index, &families, left) > 0.97)
        while index.grow(rows: 900) {}
        #expect(index.stats.graphs == 0)
        #expect(recall(index, &families, left) == 1)

        // And grows once more.
        for number in count..<2 * count {
            index.insert(families.source.record(number, vector: families.vector()), now: 0)
        }
        while index.grow(rows: 900) {}
        #expect(index.stats.graphs == 1)
        #expect(recall(index, &families, records(index, 0..<2 * count)) > 0.97)
        for number in 0..<2 * count { index.remove(RecordSource.key(number)) }
        #expect(index.stats.bytes == 0 && index.stats.records == 0)
        _ = index.grow(rows: 10)
    }

    /// A graph with many dead rows makes way for another while both are asked.
    @Test func aGraphIsReplacedWhileItIsSearched() {
        var families = Families(seed: 2)
        let count = GraphTests.graphRows * 3 / 2
        let index = filled(&families, count)
        while index.grow(rows: 5000) {}
        for number in 0..<count where number % 5 < 2 { index.remove(RecordSource.key(number)) }
        let left = records(index, 0..<count)
        var steps = 0
        while index.grow(rows: 400) {
            steps += 1
            #expect(recall(index, &families, left) > 0.97, "step \(steps)")
        }
        #expect(steps > 2 && index.stats.graphs == 1)
        #expect(recall(index, &families, left) > 0.97)
    }

    /// Without memory for a graph all is scanned as before.
    @Test func withoutAGraph() {
        struct NoGraphs: NeighbourKernels {
            let products = HNSWKernels()

            func products(
                of rows: UnsafeRawPointer, count: Int, shape: VectorRows, with query: UnsafeRawPointer,
                into target: UnsafeMutablePointer<Float>
            ) {
                products.products(of: rows, count: count, shape: shape, with: query, into: target)
            }

            func graph(_ shape: VectorRows, capacity: Int) -> (any NeighbourGraph)? { nil }
        }
        var families = Families(seed: 3)
        let index = SemanticIndex(
            width: GraphTests.width, capacity: 256 << 20, kernels: NoGraphs(), graphRows: GraphTests.graphRows)
        let count = GraphTests.graphRows + 10
        for number in 0..<count { index.insert(families.source.record(number, vector: families.vector()), now: 0) }
        #expect(!index.grow(rows: 1000))
        #expect(recall(index, &families, records(index, 0..<count)) == 1)
    }

    /// The kernels agree with plain arithmetic, whatever instructions they use.
    @Test(arguments: [1, 3, 63, 64, 65, 384, 512, 1024]) func productsAreExact(width: Int) {
        var random = SeededRandom(seed: UInt64(width))
        let index = SemanticIndex(width: width, capacity: 16 << 20, kernels: HNSWKernels())
        var vectors: [QuantizedVector] = []
        let facts = SemanticFacts(
            tenant: 0, namespace: "", model: "", tags: [], createdAt: 0, expiresAt: .max, generation: 0)
        for number in 0..<50 {
            let extreme: [Int8] = (0..<width).map { _ in [-128, -127, 127, 0].randomElement(using: &random) ?? 0 }
            vectors.append(QuantizedVector(values: extreme))
            index.insert(
                SemanticRecord(
                    key: RecordSource.key(number), partition: RecordSource.key(-1), text: "", sketch: vectors[number],
                    facts: facts), now: 0)
        }
        for vector in vectors where vector.scale > 0 {
            let best = vectors.map { $0.cosine(with: vector.floats) }.max() ?? 0
            let found = index.nearest(in: RecordSource.key(-1), to: vector.floats, count: 1, now: 0)
            #expect(abs((found.first?.similarity ?? 0) - best) < 1e-4)
        }
    }
}
