import Core

/// Makes vectors of texts, wherever that happens.
package protocol TextEncoding: Sendable {
    /// Names the model and how it is run: vectors of another are not comparable.
    var identity: String { get }
    /// Numbers in a vector; nil where that is not known beforehand.
    var width: Int? { get }
    /// Whether a vector of the text says what it means. Takes microseconds.
    func reach(of text: String) -> TextReach
    /// How much each token tells, and the tokens of a text; nil where only whole texts get vectors.
    var weights: TokenWeights? { get }
    func tokens(of text: String) -> TokenizedText?
    /// The text's vector of length one within `budget` nanoseconds; vectors of its tokens where there are such.
    func encode(_ text: String, budget: Int64) async throws(EncodingRefusal) -> EncodedText
}

package enum TextReach: Sendable, Equatable {
    case readable
    /// Longer than the model reads: half a text is another text.
    case tooLong
    /// With words or letters that the model does not know: their vectors say nothing.
    case foreign
}

/// A model in this process.
package struct LocalEncoding: TextEncoding {
    package let identity: String
    private let encoder: Encoder
    private let queue: EncodingQueue
    private let isKnown: Bool

    /// - Parameter isKnown: whether what was learned of pairs was learned with this encoder; vectors of tokens are of use
    ///   to it alone.
    package init(_ encoder: Encoder, _ queue: EncodingQueue, isKnown: Bool) {
        self.encoder = encoder
        self.queue = queue
        self.isKnown = isKnown
        identity = "\(PlainWording.identity) \(encoder.precision.rawValue) " + Hex.text(encoder.fingerprint)
    }

    package var width: Int? { encoder.width }

    package func reach(of text: String) -> TextReach {
        let text = encoder.wording(text)
        guard let tokens = encoder.tokenize(text) else { return .tooLong }
        return Readability(of: text, tokens, by: encoder.tokenizer.coverage) == .readable ? .readable : .foreign
    }

    package var weights: TokenWeights? { isKnown ? encoder.tokenizer.weights : nil }

    package func tokens(of text: String) -> TokenizedText? { isKnown ? encoder.tokenize(encoder.wording(text)) : nil }

    package func encode(_ text: String, budget: Int64) async throws(EncodingRefusal) -> EncodedText {
        try await queue.encode(encoder.wording(text), budget: budget, wantsTokenVectors: isKnown)
    }
}
