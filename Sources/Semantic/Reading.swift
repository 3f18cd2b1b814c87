import Core

/// A text that was read, by an encoder or by its letters.
struct Reading: SemanticReading {
    enum Way: Sendable {
        case meaning, letters
    }

    var way: Way
    /// Of length one.
    var vector: [Float]
    /// nil where there are no vectors of tokens.
    var tokens: TokenVectors?
    var text: VerifiedText
}

extension Reading {
    init(_ encoded: EncodedText, _ text: String) {
        let tokens = encoded.tokenVectors.flatMap { TokenVectors(rows: $0, width: encoded.vector.count) }
        self.init(
            way: .meaning, vector: encoded.vector, tokens: tokens,
            text: VerifiedText(text, encoding: VerifiedText.Encoding(encoded.tokens, tokens)))
    }
}

extension VerifiedText {
    /// - Parameter tokens: of its text.
    init(_ record: SemanticRecord, tokens: TokenizedText?) {
        self.init(record.text, encoding: tokens.flatMap { Encoding($0, record.tokens) })
    }
}

extension VerifiedText.Encoding {
    /// nil where there is not a vector for each token.
    init?(_ tokens: TokenizedText, _ vectors: TokenVectors?) {
        guard let vectors else { return nil }
        self.init(tokens, rows: TokenRows(width: vectors.width, bytes: vectors.values, scales: vectors.scales))
    }
}
