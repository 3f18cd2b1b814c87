import Core
import Foreign
import Matrix
import Semantic

/// Texts with all that is known of them.
final class Corpus {
    /// nil where the verifier was learned with another encoder: then it judges by the words alone, as a sidecar does.
    let weights: TokenWeights?
    let encoded: [StoredText?]
    let texts: [VerifiedText]

    /// - Parameter judges: whether the verifier is asked, or its features are printed only.
    init(model: String, texts: [String], encoded path: String, judges: Bool) throws {
        let configuration = try BertConfiguration(folder: ModelDirectory(path: model))
        let encoder = try Encoder(
            folder: ModelDirectory(path: model), kernels: try DNNLKernels(precision: nil), checksum: XXH3Checksum())
        let isKnown = try !judges || Verifier().isLearnedWith(encoder.vector(of: Verifier.probe))
        weights = isKnown ? encoder.tokenizer.weights : nil
        let encoded = try EncodedFile(path, width: configuration.width).texts
        guard encoded.count == texts.count else {
            throw InputFault("\(path) was made of other texts")
        }
        self.encoded = encoded
        self.texts = zip(texts, encoded).map { text, stored in
            VerifiedText(text, encoding: stored.flatMap { VerifiedText.Encoding($0.tokens, rows: $0.rows) })
        }
    }

    func report(_ i: Int, _ j: Int) -> GuardReport { texts[i].compare(texts[j]) }

    /// Of the encoder's vectors; nil where a text does not fit its window.
    func cosine(_ i: Int, _ j: Int) -> Float? {
        guard let a = encoded[i]?.vector, let b = encoded[j]?.vector else { return nil }
        return a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sum: Float = 0
                for index in a.indices { sum += a[index] * b[index] }
                return sum
            }
        }
    }

    /// Whether the encoder knows enough of the text's tokens.
    func isReadable(_ i: Int) -> Bool { (encoded[i]?.tokens.unknownShare ?? 1) <= 0.1 }

    /// The features of pairs on standard input, two numbers of texts a line, as little-endian numbers of four bytes.
    func printFeatures() {
        var block: [UInt8] = []
        for line in TrustBench.readLines() {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { continue }
            let features = Verifier.features(
                texts[numbers[0]], texts[numbers[1]], cosine: cosine(numbers[0], numbers[1]), weights: weights,
                report: report(numbers[0], numbers[1]))
            features.values.values.withUnsafeBytes { block.append(contentsOf: $0) }
            if block.count > 1 << 16 {
                Console.write(block, to: .output)
                block = []
            }
        }
        Console.write(block, to: .output)
    }
}
