import Core
import Synchronization

/// Answering by meaning: who knows which questions mean the same, and what came of it.
package final class Meaning: Sendable {
    package let matcher: any SemanticMatching
    /// Whether matches are served, or only compared with the model's own answers.
    let isServing: Bool
    let aliases: AliasTable
    /// nil: answers are compared without asking anybody.
    let judge: AnswerJudge?
    private let hits = SemanticHits()
    package let recentPairs = RecentPairs()

    /// - Parameter aliasBytes: how much memory to remember answered wordings in.
    package init(
        matcher: any SemanticMatching, isServing: Bool, aliasBytes: Int, judge: AnswerJudge? = nil
    ) {
        self.judge = judge
        self.matcher = matcher
        self.isServing = isServing
        aliases = AliasTable(bytes: aliasBytes)
    }

    /// Wordings that cost no encoding any more.
    package var aliasCount: Int { aliases.count }
    package var aliasBytes: Int { aliases.byteCount }

    /// Of what is kept beside them: what feedback may be about, and pairs for people to look at.
    package var tableBytes: Int { hits.byteCount + recentPairs.byteCount }
    /// The most that this takes, whatever comes.
    package static let mostTableBytes = 3 << 20

    /// Whose answer the request under a key got before.
    package func alias(of key: CacheKey) -> SemanticMatch? { aliases.find(key)?.match }

    /// An answer was served under a number that its client knows.
    package func note(_ id: UInt64, _ key: CacheKey, _ match: SemanticMatch) {
        hits.note(SemanticHits.Hit(id: id, key: key, match: match))
    }

    /// What a person thinks of the answer with that number. Of each answer one word counts: the first, or a no after a yes.
    ///
    /// - Returns: the match it is about, and whether it counts; nil where the number is not known any more.
    package func feedback(on id: UInt64, isRight: Bool) -> (match: SemanticMatch, isCounted: Bool)? {
        guard let (hit, change) = hits.note(isRight, of: id) else { return nil }
        switch change {
        case .first: observe(hit.match, for: hit.key, isRight: isRight, by: .person)
        case .withdrawn:
            matcher.withdraw(hit.match, for: hit.key)
            note(hit.match, for: hit.key, isRight: false, by: .person)
        case .nothing: return (hit.match, false)
        }
        return (hit.match, true)
    }

    func observe(_ match: SemanticMatch, for key: CacheKey, isRight: Bool, by witness: SemanticWitness) {
        matcher.observe(match, for: key, isRight: isRight, by: witness)
        note(match, for: key, isRight: isRight, by: witness)
    }

    private func note(_ match: SemanticMatch, for key: CacheKey, isRight: Bool, by witness: SemanticWitness) {
        recentPairs.observe(match.key, for: key, RecentPairs.Verdict(witness: witness, isRight: isRight))
    }

    /// The entry under a key was purged.
    func purged(_ key: CacheKey) {
        matcher.forget(key)
        recentPairs.forget(key)
    }

    /// Entries were purged by what they have in common, which pairs do not tell.
    func purged(where isGone: (CacheKey, SemanticFacts) -> Bool) {
        matcher.forgetAll(where: isGone)
        recentPairs.forgetAll()
    }
}

/// The question of one request, and what is found out about it until its answer is there.
package final class OpenQuestion: Sendable {
    let question: SemanticQuestion
    private let state = Mutex(State())

    private struct State {
        var reading: (any SemanticReading)?
        var rival: Rival?
    }

    /// What would have been served, and who can be asked whether it is as good as the model's own answer.
    struct Rival: Sendable {
        var entry: Entry
        var match: SemanticMatch
        var ports: Engine.Ports
    }

    init(_ question: SemanticQuestion) { self.question = question }

    /// What the matcher made of the text.
    var reading: (any SemanticReading)? {
        get { state.withLock { $0.reading } }
        set { state.withLock { $0.reading = newValue } }
    }

    /// What would have been served, to be compared with the model's own answer.
    var rival: Rival? {
        get { state.withLock { $0.rival } }
        set { state.withLock { $0.rival = newValue } }
    }
}
