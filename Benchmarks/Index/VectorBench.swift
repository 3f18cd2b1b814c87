import Core
import Foundation
import Neighbours
import Semantic

/// Times of the index over vectors as a sentence encoder makes them: points in families, in fewer directions than they
/// have numbers, some directions more than others.
struct VectorBench {
    static let width = 384
    /// Directions that matter.
    private static let latent = 96
    private let count: Int
    private let index = SemanticIndex(width: width, capacity: 4 << 30, kernels: HNSWKernels())
    private let partition = CacheKey(1, 1, 1, 1)

    init(count: Int) { self.count = count }

    func scan() {
        var points = Points(families: count / 20)
        fill { points.next() }
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
        fill { points.next() }
        grow { [(0..<1000).map { _ in points.next() }].map { ("made up", $0) } }
    }

    /// The vectors of a file, and copies of them up to `count`; asked for those that were left out and for copies.
    func graph(of texts: TextVectors) {
        var copies = Copies(of: texts)
        var number = 0
        fill {
            defer { number += 1 }
            return number < copies.stored.count ? copies.stored[number] : copies.next()
        }
        print("\(min(count, copies.stored.count)) vectors of texts, the others copies of them")
        grow { [("texts", copies.asked), ("copies", (0..<copies.asked.count).map { _ in copies.next() })] }
    }

    /// Takes all rows into the graph, and asks the same questions before and behind that.
    private func grow(_ kinds: () -> [(name: String, questions: [[Float]])]) {
        let kinds = kinds()
        let exact = kinds.map { $0.questions.map(best) }
        let before = index.stats.bytes
        let built = milliseconds { while index.grow(rows: 1000) {} }
        print(
            "built in \(spelled(built / 1e3, 0)) s; bytes of a record: \(before / count) without, \(index.stats.bytes / count) with the graph"
        )
        for (kind, exact) in zip(kinds, exact) {
            var times: [Double] = []
            var hits = 0
            for (question, nearest) in zip(kind.questions, exact) {
                var found: [SemanticNeighbour] = []
                times.append(milliseconds { found = index.nearest(in: partition, to: question, count: 8, now: 0) })
                if let first = found.first, first.record.key == nearest.key || first.similarity >= nearest.similarity {
                    hits += 1
                }
            }
            print(
                "graph of \(count), \(kind.name): recall@1 \(spelled(Double(hits) / Double(kind.questions.count), 4)),",
                "p50 \(spelled(times.quantile(0.5) * 1e3, 0)) µs, p99 \(spelled(times.quantile(0.99) * 1e3, 0)) µs")
        }
    }

    /// While all is scanned.
    private func best(_ question: [Float]) -> (key: CacheKey?, similarity: Float) {
        let nearest = index.nearest(in: partition, to: question, count: 1, now: 0).first
        return (nearest?.record.key, nearest?.similarity ?? -1)
    }

    private func fill(_ next: () -> [Float]) {
        let facts = SemanticFacts(
            tenant: 0, namespace: "", model: "", tags: [], createdAt: 0, expiresAt: .max, generation: 0)
        for number in 0..<UInt64(count) {
            index.insert(
                SemanticRecord(
                    key: CacheKey(number &* 0x9E37_79B9_7F4A_7C15, number, 0, number), partition: partition,
                    text: "a question of some forty characters \(number)", sketch: QuantizedVector(next()),
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

/// What an encoder made of texts: `VectorBench.width` numbers each, as the processor holds them.
struct TextVectors {
    var vectors: [[Float]] = []

    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let size = VectorBench.width * MemoryLayout<Float>.size
        data.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count / size * size, by: size) {
                vectors.append(
                    (0..<VectorBench.width).map { bytes.loadUnaligned(fromByteOffset: start + $0 * 4, as: Float.self) })
            }
        }
        guard vectors.count > Copies.asked * 2 else { return nil }
    }
}

/// Texts that say what another says in other words: its vector, moved towards that of a third text until the cosine is
/// somewhere from .8 to .95. Directions between texts are those that an encoder uses.
private struct Copies {
    static let asked = 1000
    let stored: [[Float]]
    let asked: [[Float]]
    private var random = SplitMix(state: 11)

    init(of texts: TextVectors) {
        let shuffled = texts.vectors.shuffled(using: &random)
        asked = Array(shuffled[..<Copies.asked])
        stored = Array(shuffled[Copies.asked...])
    }

    mutating func next() -> [Float] {
        guard let origin = stored.randomElement(using: &random), let other = stored.randomElement(using: &random) else {
            return []
        }
        let shared = zip(origin, other).reduce(0) { $0 + $1.0 * $1.1 }
        let across = zip(origin, other).map { $1 - shared * $0 }
        let length = across.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0.1 else { return next() }
        let cosine = Float.random(in: 0.8...0.95, using: &random)
        let factor = (1 - cosine * cosine).squareRoot() / length
        return zip(origin, across).map { $0 * cosine + $1 * factor }
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
