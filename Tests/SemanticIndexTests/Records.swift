import Core
import Semantic
import TestKit

/// Records and vectors from a seed.
struct RecordSource {
    var random: SeededRandom
    let width: Int

    init(seed: UInt64, width: Int = 48) {
        random = SeededRandom(seed: seed)
        self.width = width
    }

    /// Of length one.
    mutating func vector() -> [Float] {
        let raw = (0..<width).map { _ in Float.random(in: -1...1, using: &random) }
        let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return raw.map { $0 / length }
    }

    static func key(_ number: Int) -> CacheKey {
        var random = SeededRandom(seed: UInt64(bitPattern: Int64(number)))
        return CacheKey(random.next(), random.next(), random.next(), random.next())
    }

    mutating func record(
        _ number: Int, partition: Int = 0, vector: [Float]? = nil, expiresAt: Int64 = .max, text: String? = nil,
        tokens: Int = 0
    ) -> SemanticRecord {
        let rows = (0..<tokens).flatMap { _ in self.vector() }
        return SemanticRecord(
            key: RecordSource.key(number), partition: RecordSource.key(-1 - partition),
            text: text ?? "question \(number)", sketch: QuantizedVector(vector ?? self.vector()),
            tokens: tokens > 0 ? TokenVectors(rows: rows, width: width) : nil,
            facts: SemanticFacts(
                tenant: UInt64(partition), namespace: "", model: "model-\(partition % 3)",
                tags: number % 5 == 0 ? ["fifth"] : [], createdAt: Int64(number), expiresAt: expiresAt,
                generation: UInt64(number)))
    }
}
