import Core
import Synchronization

/// Decides whether the answer of a remembered question may be given to a new one: guards first, then what was learned of
/// pairs of texts, then what was observed of this one's answers.
final class PairJudge: Sendable {
    private struct State {
        var pooled = PooledEvidence()
        /// Of remembered questions, by their keys; those that were not heard of lately are forgotten.
        var young: [CacheKey: EntryEvidence] = [:]
        var old: [CacheKey: EntryEvidence] = [:]

        func evidence(of key: CacheKey) -> EntryEvidence { young[key] ?? old[key] ?? EntryEvidence() }

        mutating func change(_ key: CacheKey, _ change: (inout EntryEvidence) -> Void) {
            var evidence = evidence(of: key)
            change(&evidence)
            if young.count >= PairJudge.mostEntries, young[key] == nil {
                old = young
                young = [:]
            }
            young[key] = evidence
        }
    }

    /// Neighbours that are farther are not worth a look, whatever the words say.
    static let leastSimilarity: Float = 0.4
    /// In each of the two tables: as many as fit into a power of two of places.
    private static let mostEntries = 6_144

    private let verifier: Verifier
    private let weights: TokenWeights?
    private let policy: SemanticPolicy
    private let state = Mutex(State())

    init(verifier: Verifier, weights: TokenWeights?, policy: SemanticPolicy) {
        self.verifier = verifier
        self.weights = weights
        self.policy = policy
    }

    /// Of what was observed.
    var byteCount: Int {
        state.withLock { state in
            [state.young, state.old].reduce(0) { sum, table in
                sum + table.tableBytes + table.values.reduce(0) { $0 + $1.observations.tableBytes }
            }
        }
    }

    /// What was made of one neighbour.
    struct Opinion {
        var decision: SemanticPolicy.Decision
        var judgement: Judgement
        var objections: [GuardObjection]
    }

    /// - Parameters:
    ///   - threshold: what one request asks for instead of the rule.
    ///   - chance: evenly from 0 up to 1.
    func judge(
        _ new: VerifiedText, _ old: VerifiedText, of key: CacheKey, similarity: Float, threshold: Double?,
        chance: Double
    ) -> Opinion {
        let report = new.compare(old)
        let judgement = verifier.judge(
            new, old, cosine: new.encoding == nil ? nil : similarity, weights: weights, report: report)
        var policy = policy
        if let threshold { policy.rule = .threshold(threshold) }
        let (pooled, evidence) = state.withLock { ($0.pooled, $0.evidence(of: key)) }
        let decision = policy.decide(
            judgement, similarity: Double(similarity), report: report, evidence: evidence, pooled: pooled,
            chance: chance)
        return Opinion(decision: decision, judgement: judgement, objections: report.objections)
    }

    /// What is to be done with a pair that was judged before, by what is known now.
    func judgeAgain(_ match: SemanticMatch, chance: Double) -> SemanticPolicy.Decision {
        let (pooled, evidence) = state.withLock { ($0.pooled, $0.evidence(of: match.key)) }
        let judgement = Judgement(score: match.score, probability: match.probability, lowerBound: match.lowerBound)
        // Guards have nothing to say that they did not say of the same two texts.
        return policy.decide(
            judgement, similarity: match.similarity, report: GuardReport(), evidence: evidence, pooled: pooled,
            chance: chance)
    }

    /// Somebody knew whether a match was right.
    func learn(_ match: SemanticMatch, isRight: Bool) {
        state.withLock { state in
            state.pooled.add(probability: match.probability, isRight: isRight)
            state.change(match.key) { $0.add(Observation(score: match.score, isRight: isRight)) }
        }
    }

    /// What was called right is called wrong now.
    func correct(_ match: SemanticMatch) {
        state.withLock { state in
            state.pooled.correct()
            state.change(match.key) { $0.correct(score: match.score) }
        }
    }

    /// Another sidecar found an answer to be wrong. How good the verifier is, each finds out from all that it observes,
    /// and not from errors alone.
    func hearError(of key: CacheKey, score: Float) {
        state.withLock { $0.change(key) { $0.add(Observation(score: score, isRight: false)) } }
    }
}
