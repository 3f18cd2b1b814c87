/// How sure it is that the remembered answer is right for the new text.
package struct Judgement: Sendable, Equatable {
    /// Nothing speaks for it.
    package static let none = Judgement(score: -.infinity, probability: 0, lowerBound: 0)

    /// What was learned, before calibration: comparable among pairs that one model judged.
    package var score: Float
    package var probability: Double
    /// The probability is at least this with 95 % confidence.
    package var lowerBound: Double

    package init(score: Float, probability: Double, lowerBound: Double) {
        self.score = score
        self.probability = probability
        self.lowerBound = lowerBound
    }
}

/// A text as the verifier compares it: taken apart once, for any number of comparisons.
package struct VerifiedText: Sendable {
    let compared: ComparedText
    package let prepared: PreparedText
    /// nil where no encoder has read it.
    let encoding: Encoding?

    /// What an encoder made of a text.
    package struct Encoding: Sendable {
        let tokens: TokenSequence
        let unknownShare: Float

        /// nil where there is not a row for each token.
        package init?(_ tokens: TokenizedText, rows: TokenRows) {
            guard let sequence = TokenSequence(ids: tokens.ids, rows: rows) else { return nil }
            self.tokens = sequence
            unknownShare = Float(tokens.unknownShare)
        }
    }

    /// Character n-grams in common by all of both, 0 to 1.
    package func likeness(_ other: VerifiedText) -> Float {
        PairFeatures.overlap(compared.grams, other.compared.grams).jaccard
    }

    package init(_ text: String, encoding: Encoding? = nil) {
        compared = ComparedText(text)
        prepared = PreparedText(text)
        self.encoding = encoding
    }
}

/// Judges whether a neighbour's answer would be right, from what was learned of pairs of texts.
package struct Verifier: Sendable {
    private let encoded: VerifierModel
    private let lexical: VerifierModel

    /// With the coefficients that ship.
    package init() throws(VerifierFault) {
        try self.init(encoder: PackageResources.encoder_json, lexical: PackageResources.lexical_json)
    }

    /// - Parameters:
    ///   - encoder: coefficients over all features, a JSON document.
    ///   - lexical: coefficients over those that need no encoder.
    package init(encoder: [UInt8], lexical: [UInt8]) throws(VerifierFault) {
        encoded = try VerifierModel(encoder)
        self.lexical = try VerifierModel(lexical)
    }

    /// What the coefficients were learned from.
    package var provenance: [String] { [encoded.provenance, lexical.provenance] }

    /// With the encoder's vectors where both texts have them, and by their words alone otherwise.
    /// - Parameters:
    ///   - cosine: of the texts' vectors; nil where they were found without an encoder.
    ///   - report: what the guards said of the two.
    package func judge(
        _ new: VerifiedText, _ old: VerifiedText, cosine: Float?, weights: TokenWeights?, report: GuardReport
    ) -> Judgement {
        let features = Self.features(new, old, cosine: cosine, weights: weights, report: report)
        let model = features.isEncoded ? encoded : lexical
        return model.calibration.judge(model.score(features.values.values))
    }

    package static func features(
        _ new: VerifiedText, _ old: VerifiedText, cosine: Float?, weights: TokenWeights?, report: GuardReport
    ) -> (values: PairFeatures, isEncoded: Bool) {
        var features = PairFeatures(new.compared, old.compared, guards: report.signals)
        guard let cosine, let weights, let a = new.encoding, let b = old.encoding else { return (features, false) }
        features.add(
            cosine: cosine, a.tokens, b.tokens, weights: weights, unknownShare: max(a.unknownShare, b.unknownShare))
        return (features, true)
    }
}
