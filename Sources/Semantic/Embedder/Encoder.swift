import Core

/// A text as a point: what `Encoder` makes of it.
package struct EncodedText: Sendable, Equatable {
    /// Of length one.
    package var vector: [Float]
    /// A vector of length one for each token, the first and the last one included; nil unless asked for.
    package var tokenVectors: [Float]?
    package var tokens: TokenizedText

    package init(vector: [Float], tokenVectors: [Float]?, tokens: TokenizedText) {
        self.vector = vector
        self.tokenVectors = tokenVectors
        self.tokens = tokens
    }
}

/// A sentence encoder from a model's folder: text → tokens → vector, as sentence-transformers computes it.
package final class Encoder: Sendable {
    package let model: BertModel
    package let tokenizer: WordPieceTokenizer
    /// Of configuration, vocabulary and weights: what another model made of a text does not compare.
    package let fingerprint: UInt64
    private let kernels: any MatrixKernels

    /// Loads the model, which takes a moment.
    package init(
        folder: any ModelFolder, kernels: any MatrixKernels, checksum: any Checksumming
    ) throws(ModelFault) {
        let configuration = try BertConfiguration(folder: folder)
        let tokens = try TokenizerConfiguration(folder: folder, size: configuration.vocabulary)
        tokenizer = WordPieceTokenizer(tokens)
        model = try BertModel(configuration, folder: folder, kernels: kernels, checksum: checksum)
        var fingerprint = ModelFingerprint()
        fingerprint.add(configuration)
        fingerprint.add(tokens)
        fingerprint.add(model.fingerprint)
        self.fingerprint = fingerprint.value(by: checksum)
        self.kernels = kernels
    }

    /// Numbers in a vector.
    package var width: Int { model.configuration.width }
    package var window: Int { model.configuration.window }
    package var precision: MatrixPrecision { kernels.precision }

    /// What is encoded of a text, so that neither courtesies nor slips of the keyboard move its vector.
    package func wording(_ text: String) -> String {
        // What is longer is refused as it stands.
        guard text.utf8.count <= window * 32 else { return text }
        return SpellingRepair(rank: { self.tokenizer.id(ofWord: $0) }).repaired(PlainWording.of(text))
    }

    /// nil where the text does not fit the model's window: half a text is another text.
    package func tokenize(_ text: String) -> TokenizedText? {
        // Tokens of text are a few bytes each: what is longer would be mostly unknown, and is not even read.
        guard text.utf8.count <= window * 32 else { return nil }
        return tokenizer.tokenize(model.configuration.prompt + text, limit: window)
    }

    /// The memory one thread needs to encode; `tokens` may be encoded at once.
    package func makePass(tokens: Int) throws(MatrixFault) -> BertPass {
        try BertPass(model, kernels: kernels, tokens: tokens)
    }

    /// Encodes texts together. They fit the pass's capacity. A vector that is not made of numbers is a fault.
    package func encode(
        _ texts: [(tokens: TokenizedText, wantsTokenVectors: Bool)], _ pass: BertPass
    ) throws(MatrixFault) -> [EncodedText] {
        let hidden = try pass.run(texts.map(\.tokens.ids))
        var first = 0
        var encoded: [EncodedText] = []
        for text in texts {
            let count = text.tokens.ids.count
            let rows = UnsafeBufferPointer(rebasing: hidden[first * width..<(first + count) * width])
            first += count
            let vector = pooled(rows, count)
            guard vector.allSatisfy(\.isFinite) else {
                throw MatrixFault("the model makes vectors that are no numbers")
            }
            encoded.append(
                EncodedText(
                    vector: vector, tokenVectors: text.wantsTokenVectors ? unitRows(rows, count) : nil,
                    tokens: text.tokens))
        }
        return encoded
    }

    /// The vector of one short text, on the caller's thread.
    package func vector(of text: String) throws(MatrixFault) -> [Float] {
        guard let tokens = tokenize(wording(text)) else { throw MatrixFault("the text is longer than the model reads") }
        return try encode([(tokens, false)], makePass(tokens: tokens.ids.count))[0].vector
    }

    private func pooled(_ rows: UnsafeBufferPointer<Float>, _ count: Int) -> [Float] {
        var vector = Array(rows[..<width])
        if model.configuration.pooling == .mean {
            for row in 1..<count {
                for index in 0..<width { vector[index] += rows[row * width + index] }
            }
        }
        VectorMath.normalize(&vector)
        return vector
    }

    private func unitRows(_ rows: UnsafeBufferPointer<Float>, _ count: Int) -> [Float] {
        var all: [Float] = []
        all.reserveCapacity(count * width)
        for row in 0..<count {
            var vector = Array(rows[row * width..<(row + 1) * width])
            VectorMath.normalize(&vector)
            all += vector
        }
        return all
    }
}
