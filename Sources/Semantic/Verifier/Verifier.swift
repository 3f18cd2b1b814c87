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
    /// With slips of the keyboard repaired; nil where there is none.
    private let repaired: PreparedText?
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
        let right = VerifiedText.repair.repaired(text)
        repaired = right.utf8.elementsEqual(text.utf8) ? nil : PreparedText(right)
        self.encoding = encoding
    }

    /// "translate to German: please" against "translate to German: thanks": all that stands behind the colon are
    /// courtesies, and they differ.
    private func isOtherMaterial(_ old: VerifiedText) -> Bool {
        compared.hasSameCore(old.compared)
            && [compared, old.compared].contains { text in
                guard let colon = text.text.lastIndex(where: { $0 == ":" || $0 == "：" }) else { return false }
                return ComparedText(String(text.text[text.text.index(after: colon)...])).isCourtesyOnly
            }
    }

    /// By the words that guards look for, and other common ones; freely, since one reason more not to answer is the worst
    /// that can come of it.
    private static let repair = SpellingRepair(
        rank: { word in
            if let rank = WordTable.standard.rank(word) { return Int32(rank) }
            return GuardLexicon.shared.knows(word) ? .max - 1 : nil
        }, leastToSwap: 5, leastToDouble: 5)

    /// What guards say of the two as they are written, and then as they were meant: "wihout" denies, too.
    package func compare(_ old: VerifiedText) -> GuardReport {
        var report = Guards.compare(prepared, old.prepared)
        if report.objections.isEmpty, isOtherMaterial(old) {
            report.objections = [GuardObjection(.quoted, "courtesies that may be what is to be worked on")]
            report.signals[.objections] = 1
        }
        guard report.objections.isEmpty, repaired != nil || old.repaired != nil else { return report }
        let meant = Guards.compare(repaired ?? prepared, old.repaired ?? old.prepared)
        report.objections = meant.objections
        report.signals[.objections] = meant.signals[.objections]
        return report
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

    /// The text by whose vector an encoder is known.
    package static let probe = "How do I turn off the lights in the kitchen?"
    /// Vectors of length one in other precisions differ by a seventh of this in a number, those of other models by tens.
    private static let probeTolerance: Float = 0.01

    /// Whether the coefficients were learned with the encoder that makes this vector of the probe: what is near for one
    /// encoder is far for another, and numbers that were learned with the one mean nothing with the other.
    package func isLearnedWith(_ vector: [Float]) -> Bool {
        !encoded.probe.isEmpty && vector.count >= encoded.probe.count
            && zip(vector, encoded.probe).allSatisfy { abs($0 - $1) <= Verifier.probeTolerance }
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
