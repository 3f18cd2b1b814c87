import Core
import Semantic
import TestKit
import Testing

struct PolicyTests {
    private static func judgement(_ lowerBound: Double, score: Float = 5) -> Judgement {
        Judgement(score: score, probability: min(1, lowerBound + 0.002), lowerBound: lowerBound)
    }

    private static func evidence(right: Int = 0, wrong: Int = 0, score: Float = 5) -> EntryEvidence {
        var evidence = EntryEvidence()
        for _ in 0..<right { evidence.add(Observation(score: score, isRight: true)) }
        for _ in 0..<wrong { evidence.add(Observation(score: score, isRight: false)) }
        return evidence
    }

    private func serves(
        _ policy: SemanticPolicy, _ judgement: Judgement, similarity: Double = 0.9,
        evidence: EntryEvidence = EntryEvidence(),
        pooled: PooledEvidence = PooledEvidence()
    ) -> Bool {
        if case .serve = policy.decide(
            judgement, similarity: similarity, report: GuardReport(), evidence: evidence, pooled: pooled, chance: 0.5)
        {
            true
        } else {
            false
        }
    }

    @Test(arguments: [
        (0.995, 0.01, true), (0.99, 0.01, true), (0.985, 0.01, false), (0.985, 0.02, true), (0.5, 0.6, false),
    ])
    func `the lower bound decides, above a floor`(lowerBound: Double, maxError: Double, isServed: Bool) {
        let policy = SemanticPolicy(rule: .maxError(maxError))
        #expect(serves(policy, Self.judgement(lowerBound)) == isServed)
    }

    @Test(arguments: [(0.95, true), (0.9499, false)])
    func `a threshold looks at the similarity alone`(similarity: Double, isServed: Bool) {
        let policy = SemanticPolicy(rule: .threshold(0.95))
        #expect(serves(policy, .none, similarity: similarity) == isServed)
    }

    @Test(arguments: [SemanticPolicy.Rule.maxError(1), .threshold(0)])
    func `a guard's objection refuses under every rule`(rule: SemanticPolicy.Rule) {
        var report = GuardReport()
        report.objections = [GuardObjection(.number, "5 / 7")]
        let decision = SemanticPolicy(rule: rule).decide(
            Judgement(score: 20, probability: 1, lowerBound: 1), similarity: 1, report: report, chance: 0.9)
        #expect(decision == .refuse(.guarded(.number)))
    }

    @Test(arguments: [(0.0, true), (0.049, true), (0.05, false), (0.9, false)])
    func `a share of the hits is asked for anew`(chance: Double, isAudited: Bool) {
        let policy = SemanticPolicy(auditShare: 0.05)
        let decision = policy.decide(
            Self.judgement(0.995), similarity: 0.9, report: GuardReport(), chance: chance)
        #expect(decision == (isAudited ? .audit(confidence: 0.995) : .serve(confidence: 0.995)))
    }

    @Test func `one wrong answer ends the service of an entry, and right ones let one serve that was unsure`() {
        let policy = SemanticPolicy()
        #expect(serves(policy, Self.judgement(0.992)))
        #expect(!serves(policy, Self.judgement(0.992), evidence: Self.evidence(wrong: 1)))
        #expect(!serves(policy, Self.judgement(0.988)))
        #expect(serves(policy, Self.judgement(0.988), evidence: Self.evidence(right: 32)))
    }

    @Test func `what was right at a higher score says little of a lower one`() {
        let policy = SemanticPolicy()
        #expect(!serves(policy, Self.judgement(0.988, score: 5), evidence: Self.evidence(right: 32, score: 7)))
        #expect(serves(policy, Self.judgement(0.988, score: 5), evidence: Self.evidence(right: 32, score: 3)))
    }

    @Test func `the verifier's errors are counted against all entries`() {
        var pooled = PooledEvidence()
        #expect(pooled.factor == 1)
        for _ in 0..<20 { pooled.add(probability: 0.99, isRight: false) }
        #expect(pooled.factor > 5)
        #expect(!serves(SemanticPolicy(), Self.judgement(0.995), pooled: pooled))
        for _ in 0..<100_000 { pooled.add(probability: 0.99, isRight: true) }
        #expect(pooled.factor < 0.2)
    }

    @Test func `more evidence for an entry never lowers the belief in it, and more against it never raises it`() {
        for bound in [0.5, 0.9, 0.97, 0.99, 0.999] {
            let judgement = Self.judgement(bound)
            var last = 0.0
            for right in 0..<10 {
                let belief = SemanticPolicy.belief(judgement, Self.evidence(right: right), PooledEvidence())
                #expect(belief.lowerBound >= last - 1e-6)
                last = belief.lowerBound
            }
            for wrong in 0..<10 {
                let belief = SemanticPolicy.belief(judgement, Self.evidence(wrong: wrong), PooledEvidence())
                #expect(belief.lowerBound <= last + 1e-6)
                last = belief.lowerBound
            }
        }
    }

    @Test func `a word that is taken back counts as if it had been the other`() {
        var (corrected, wrong) = (EntryEvidence(), EntryEvidence())
        for score: Float in [1, 2, 3] { corrected.add(Observation(score: score, isRight: true)) }
        corrected.correct(score: 2)
        for (score, isRight) in [(1, true), (2, false), (3, true)] as [(Float, Bool)] {
            wrong.add(Observation(score: score, isRight: isRight))
        }
        #expect(corrected == wrong)
        // What gave way meanwhile counts all the same.
        corrected.correct(score: 9)
        #expect(corrected.observations.last == Observation(score: 9, isRight: false))
        var (first, second) = (PooledEvidence(), PooledEvidence())
        first.add(probability: 0.9, isRight: true)
        first.correct()
        second.add(probability: 0.9, isRight: false)
        #expect(first == second)
    }

    /// The verifier believes itself four times as good as it is; feedback on a tenth of the hits must bring the errors back.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `errors stay near the limit when the verifier is too sure, once its hits are audited`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func chance() -> Double { Double.random(in: 0..<1, using: &random) }
        let policy = SemanticPolicy(rule: .maxError(0.05), auditShare: 0.1)
        var pooled = PooledEvidence()
        var late = (hits: 0, wrong: 0)
        for round in 0..<30_000 {
            let claimed = 0.9 + 0.1 * chance()
            let isRight = chance() < 1 - 4 * (1 - claimed)
            let judgement = Judgement(score: Float(claimed), probability: claimed, lowerBound: claimed)
            let decision = policy.decide(
                judgement, similarity: 0.9, report: GuardReport(), pooled: pooled, chance: chance())
            switch decision {
            case .serve:
                if round >= 10_000 {
                    late.hits += 1
                    if !isRight { late.wrong += 1 }
                }
            case .audit:
                pooled.add(probability: claimed, isRight: isRight)
            case .refuse: break
            }
        }
        #expect(late.hits > 1_000, "seed \(seed)")
        #expect(Double(late.wrong) / Double(late.hits) < 0.05, "seed \(seed)")
    }
}
