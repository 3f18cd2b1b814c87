import Core
import Neighbours
import Semantic

/// Times of the index over vectors as a sentence encoder makes them: points in families, in fewer directions than they
/// have numbers, some directions more than others.
struct VectorBench {
    private static let width = 384
    /// Directions that matter.
    private static let latent = 96
    private let count: Int
    private let index = SemanticIndex(width: width, capacity: 4 << 30, kernels: HNSWKernels())
    private let partition = CacheKey(1, 1, 1, 1)

    init(count: Int) { self.count = count }

    func scan() {
        var points = Points(families: count / 20)
        fill(&points)
        let times = (0..<2000).map { _ in
            let vector = points.next()
            return milliseconds { _ = index.nearest(in: partition, to: vector, count: 8, now: 0) }
        }
        print(
            "scan of \(count): p50 \(spelled(times.quantile(0.5) * 1e3, 0)) µs,",
            "p99 \(spelled(times.quantile(0.99) * 1e3, 0)) µs")
        print("bytes of a record: \(index.stats.bytes / count)")
    }

    func graph() {
        var points = Points(families: count / 20)
        fill(&points)
        let questions = (0..<1000).map { _ in points.next() }
        let exact = questions.map(best)
        let before = index.stats.bytes
        let built = milliseconds { while index.grow(rows: 1000) {} }
        print(
            "built in \(spelled(built / 1e3, 0)) s; bytes of a record: \(before / count) without, \(index.stats.bytes / count) with the graph"
        )
        var times: [Double] = []
        var hits = 0
        for (question, nearest) in zip(questions, exact) {
            var found: [SemanticNeighbour] = []
            times.append(milliseconds { found = index.nearest(in: partition, to: question, count: 8, now: 0) })
            if found.first?.record.key == nearest { hits += 1 }
        }
        print(
            "graph of \(count): recall@1 \(spelled(Double(hits) / Double(questions.count), 3)),",
            "p50 \(spelled(times.quantile(0.5) * 1e3, 0)) µs, p99 \(spelled(times.quantile(0.99) * 1e3, 0)) µs")
    }

    /// While all is scanned.
    private func best(_ question: [Float]) -> CacheKey? {
        index.nearest(in: partition, to: question, count: 1, now: 0).first?.record.key
    }

    private func fill(_ points: inout Points) {
        let facts = SemanticFacts(
            tenant: 0, namespace: "", model: "", tags: [], createdAt: 0, expiresAt: .max, generation: 0)
        for number in 0..<UInt64(count) {
            index.insert(
                SemanticRecord(
                    key: CacheKey(number &* 0x9E37_79B9_7F4A_7C15, number, 0, number), partition: partition,
                    text: "a question of some forty characters \(number)", sketch: QuantizedVector(points.next()),
                    facts: facts), now: 0)
        }
    }

    /// A seed's points: a centre of a family, a little of every direction, and noise.
    private struct Points {
        private var state: UInt64 = 1
        private let directions: [Float]
        private let centres: [[Float]]

        init(families: Int) {
            var random = SplitMix(state: 7)
            directions = (0..<width * latent).map { _ in random.normal() }
            centres = (0..<max(1, families)).map { _ in (0..<latent).map { _ in random.normal() } }
        }

        mutating func next() -> [Float] {
            var random = SplitMix(state: state)
            let centre = centres[Int(random.next() % UInt64(centres.count))]
            let point = centre.indices.map {
                (centre[$0] + 0.6 * random.normal()) / (1 + 0.05 * Float($0)).squareRoot()
            }
            var vector = (0..<width).map { _ in 1.2 * random.normal() }
            for place in 0..<width {
                for direction in 0..<latent {
                    vector[place] += directions[place * latent + direction] * point[direction]
                }
            }
            state = random.next()
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return vector.map { $0 / length }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Nearly: the sum of twelve even ones.
    mutating func normal() -> Float { (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &self) } }
}
