import Core
import Foreign
import Matrix
import Semantic

/// The features of pairs of texts as little-endian numbers of four bytes, a row for each pair.
struct FeatureTable {
    let corpus: Corpus

    init(model: String, texts: [String], encoded: String) throws {
        corpus = try Corpus(model: model, texts: texts, encoded: encoded)
    }

    func print() {
        var block: [UInt8] = []
        for line in TrustBench.readLines() {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { continue }
            let features = corpus.features(numbers[0], numbers[1])
            features.values.withUnsafeBytes { block.append(contentsOf: $0) }
            if block.count > 1 << 16 {
                Console.write(block, to: .output)
                block = []
            }
        }
        Console.write(block, to: .output)
    }
}

/// Texts with all that is known of them.
final class Corpus {
    let weights: TokenWeights
    let encoded: [StoredText?]
    let compared: [ComparedText]

    init(model: String, texts: [String], encoded path: String) throws {
        let configuration = try BertConfiguration(folder: ModelDirectory(path: model))
        weights = try WordPieceTokenizer(folder: ModelDirectory(path: model), size: configuration.vocabulary).weights
        encoded = try EncodedFile(path, width: configuration.width).texts
        compared = texts.map { ComparedText($0) }
    }

    func features(_ i: Int, _ j: Int) -> PairFeatures {
        var features = PairFeatures(compared[i], compared[j])
        guard let a = encoded[i], let b = encoded[j],
            let left = TokenSequence(ids: a.tokens.ids, rows: a.rows),
            let right = TokenSequence(ids: b.tokens.ids, rows: b.rows)
        else { return features }
        features.add(
            cosine: zip(a.vector, b.vector).reduce(0) { $0 + $1.0 * $1.1 }, left, right, weights: weights,
            unknownShare: Float(max(a.tokens.unknownShare, b.tokens.unknownShare)))
        return features
    }
}
