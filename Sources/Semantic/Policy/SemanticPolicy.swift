import Core

/// When a neighbour's answer is served.
package struct SemanticPolicy: Sendable, Equatable {
    package enum Rule: Sendable, Equatable {
        /// Where the lower bound of being right is above one minus this share of wrong hits.
        case maxError(Double)
        /// Where the texts are at least this similar, whatever else is known of them; guards still object.
        case threshold(Double)
    }

    package enum Decision: Sendable, Equatable {
        /// The lower bound, or the similarity where the rule is a threshold.
        case serve(confidence: Double)
        /// It would be served, but a fresh answer is asked for so that both can be compared.
        case audit(confidence: Double)
        case refuse(Refusal)
    }

    package enum Refusal: Sendable, Equatable {
        case guarded(Guard)
        case unsure(confidence: Double)
    }

    package var rule: Rule
    /// The share of hits that is asked for anew, without which a cache would never learn of its errors. 0 to 1.
    package var auditShare: Double
    /// However little is known against it, nothing less probable than this is served. 0 to 1.
    package var floor: Double

    /// The verifier's word about an entry counts as so many observations of it: one that was wrong ends its service, some
    /// ten that were right let it serve where the verifier was a little less sure than is asked for.
    private static let priorWeight = 50.0

    package init(rule: Rule = .maxError(0.01), auditShare: Double = 0, floor: Double = 0.9) {
        self.rule = rule
        self.auditShare = auditShare
        self.floor = floor
    }

    /// - Parameters:
    ///   - evidence: of the remembered answer.
    ///   - chance: evenly from 0 up to 1.
    package func decide(
        _ judgement: Judgement, similarity: Double, report: GuardReport, evidence: EntryEvidence = EntryEvidence(),
        pooled: PooledEvidence = PooledEvidence(), chance: Double
    ) -> Decision {
        if let objection = report.objections.first { return .refuse(.guarded(objection.guardian)) }
        let confidence: Double
        switch rule {
        case .threshold(let threshold):
            confidence = similarity
            guard similarity >= threshold else { return .refuse(.unsure(confidence: similarity)) }
        case .maxError(let error):
            let belief = Self.belief(judgement, evidence, pooled)
            confidence = belief.lowerBound
            guard belief.probability >= floor, belief.lowerBound >= 1 - error else {
                return .refuse(.unsure(confidence: confidence))
            }
        }
        return chance < auditShare ? .audit(confidence: confidence) : .serve(confidence: confidence)
    }

    /// The verifier's word after what was observed: first as often wrong as it was over all entries, then drawn to what was
    /// seen of this one (a beta prior with its weight in observations).
    package static func belief(
        _ judgement: Judgement, _ evidence: EntryEvidence, _ pooled: PooledEvidence
    ) -> (probability: Double, lowerBound: Double) {
        let factor = pooled.factor
        let (right, wrong) = evidence.counts(at: judgement.score)
        func moved(_ share: Double) -> Double {
            let scaled = 1 - min(1, (1 - share) * factor)
            return (scaled * priorWeight + right) / (priorWeight + right + wrong)
        }
        let probability = moved(judgement.probability)
        return (probability, min(probability, moved(judgement.lowerBound)))
    }
}
