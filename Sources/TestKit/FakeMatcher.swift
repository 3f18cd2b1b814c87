import Core
import Synchronization

/// Calls two questions of one partition the same where a test says so.
package final class FakeMatcher: SemanticMatching {
    package let identity = "fake"

    private struct Remembered {
        var question: SemanticQuestion
        var facts: SemanticFacts
    }

    private struct State {
        var remembered: [CacheKey: Remembered] = [:]
        var searches = 0
        var recalled = 0
        var observed: [Bool] = []
        var witnesses: [SemanticWitness] = []
        var refused: Set<CacheKey> = []
        /// Those that were ever called wrong.
        var doubted: Set<CacheKey> = []
        var withdrawn: [CacheKey] = []
        var isExploring = false
        var failure: SemanticResult?
    }

    private let similarity: @Sendable (_ new: String, _ old: String) -> Double
    private let state = Mutex(State())

    /// - Parameter similarity: of two texts; from 0.9 on they are the same.
    package init(similarity: @escaping @Sendable (_ new: String, _ old: String) -> Double) {
        self.similarity = similarity
    }

    /// Questions whose answers were found rather than made.
    package var recalled: Int { state.withLock { $0.recalled } }
    package var searches: Int { state.withLock { $0.searches } }
    package var keys: Set<CacheKey> { state.withLock { Set($0.remembered.keys) } }
    package var texts: [String] { state.withLock { $0.remembered.values.map(\.question.text).sorted() } }
    package var observed: [Bool] { state.withLock { $0.observed } }
    /// Who said so, in the same order.
    package var witnesses: [SemanticWitness] { state.withLock { $0.witnesses } }
    /// Of which matches a yes was taken back.
    package var withdrawn: [CacheKey] { state.withLock { $0.withdrawn } }
    package var isExploring: Bool {
        get { state.withLock { $0.isExploring } }
        set { state.withLock { $0.isExploring = newValue } }
    }
    package var failure: SemanticResult? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }

    private struct Read: SemanticReading {}

    package func match(
        _ question: SemanticQuestion, under key: CacheKey, threshold: Double?
    ) async -> SemanticFinding {
        state.withLock { state in
            state.searches += 1
            if let failure = state.failure { return SemanticFinding(failure) }
            let candidates = state.remembered.filter {
                $0.value.question.partition == question.partition && $0.key != key
            }
            .map { other, remembered in
                let similarity = similarity(question.text, remembered.question.text)
                let isAccepted = similarity >= threshold ?? 0.9 && !state.refused.contains(other)
                return SemanticCandidate(
                    match: SemanticMatch(key: other, similarity: similarity, confidence: nil),
                    text: remembered.question.text,
                    objections: isAccepted ? [] : [SemanticObjection("similarity", "far")], isAccepted: isAccepted)
            }.sorted { $0.match.similarity > $1.match.similarity }
            let result: SemanticResult =
                candidates.isEmpty ? .none : candidates.contains(where: \.isAccepted) ? .accepted : .rejected
            return SemanticFinding(result, candidates: candidates, reading: Read(), explores: state.isExploring)
        }
    }

    package func learn(
        _ question: SemanticQuestion, reading: (any SemanticReading)?, under key: CacheKey, _ facts: SemanticFacts,
        isNew: Bool, isWanted: @escaping @Sendable () -> Bool
    ) {
        state.withLock { state in
            guard isNew || state.remembered[key] == nil else { return }
            if !isNew { state.recalled += 1 }
            state.remembered[key] = Remembered(question: question, facts: facts)
        }
        if !isWanted() { forget(key) }
    }

    package func standing(of match: SemanticMatch, for key: CacheKey) -> SemanticStanding {
        state.withLock { state in
            if state.doubted.contains(match.key) { return .ended }
            return state.isExploring ? .explores : .stands
        }
    }

    package func forget(_ key: CacheKey) { state.withLock { $0.remembered[key] = nil } }

    package func forgetAll(where isGone: (CacheKey, SemanticFacts) -> Bool) {
        let all = state.withLock { $0.remembered }
        for (key, remembered) in all where isGone(key, remembered.facts) { forget(key) }
    }

    package func sweep(now: Int64) { forgetAll { $1.expiresAt <= now } }

    package func agreement(_ one: String, _ other: String) async -> SemanticAgreement { .wrong }

    package func observe(_ match: SemanticMatch, for key: CacheKey, isRight: Bool, by witness: SemanticWitness) {
        state.withLock { state in
            state.observed.append(isRight)
            state.witnesses.append(witness)
            if !isRight, witness == .person { state.refused.insert(match.key) }
            if !isRight { state.doubted.insert(match.key) }
        }
    }

    package func withdraw(_ match: SemanticMatch, for key: CacheKey) {
        state.withLock { state in
            state.withdrawn.append(match.key)
            state.refused.insert(match.key)
            state.doubted.insert(match.key)
        }
    }
}
