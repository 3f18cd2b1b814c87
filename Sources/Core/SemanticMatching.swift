// What the engine needs from whoever knows which questions mean the same.

/// Remembers questions and finds those that mean the same.
package protocol SemanticMatching: Sendable {
    /// Names how texts are compared; part of every partition, so that answers never cross from one way to another.
    var identity: String { get }

    /// Looks for remembered questions of the same partition, within the time that it allows itself. `threshold` is what
    /// one request asks for instead of the settings' rule.
    func match(_ question: SemanticQuestion, threshold: Double?) async -> SemanticFinding

    /// Remembers that the entry under `key` answers a question. Returns at once; `reading` is what `match` made of the
    /// question, nil where it was not asked or did not get that far.
    func learn(
        _ question: SemanticQuestion, reading: (any SemanticReading)?, under key: CacheKey, _ facts: SemanticFacts)

    /// The entry under a key is gone.
    func forget(_ key: CacheKey)

    /// Forgets what belongs to purged entries, and the texts with it. Takes its time.
    func forgetAll(where isGone: (CacheKey, SemanticFacts) -> Bool)

    /// Forgets what has expired; `now` in milliseconds since 1970. A bounded share of the work each time.
    func sweep(now: Int64)

    /// Somebody knows whether the answer of a match was right for a question.
    func observe(_ match: SemanticMatch, isRight: Bool)
}

/// What a text became when it was read once; whoever made it knows what it is.
package protocol SemanticReading: Sendable {}

/// A remembered question that stands for another one.
package struct SemanticMatch: Sendable, Equatable {
    /// Of the entry that answers it.
    package var key: CacheKey
    /// Of the texts, 1 for the same meaning.
    package var similarity: Double
    /// How likely the answer is right, at least: a lower bound. nil where only the similarity was asked.
    package var confidence: Double?
    /// What tells matches of one remembered question and one decision apart, for those who learn from them.
    package var ticket: UInt64

    package init(key: CacheKey, similarity: Double, confidence: Double?, ticket: UInt64 = 0) {
        self.key = key
        self.similarity = similarity
        self.confidence = confidence
        self.ticket = ticket
    }
}

/// Why a neighbour is not to answer: `word` is one of a closed list, `detail` is for people.
package struct SemanticObjection: Sendable, Equatable {
    package var word: String
    package var detail: String

    package init(_ word: String, _ detail: String) {
        self.word = word
        self.detail = detail
    }
}

/// A neighbour and what was thought of it.
package struct SemanticCandidate: Sendable, Equatable {
    package var match: SemanticMatch
    /// The remembered text.
    package var text: String
    package var objections: [SemanticObjection]
    package var isAccepted: Bool

    package init(match: SemanticMatch, text: String, objections: [SemanticObjection], isAccepted: Bool) {
        self.match = match
        self.text = text
        self.objections = objections
        self.isAccepted = isAccepted
    }
}

/// How a search for neighbours ended.
package enum SemanticResult: String, Sendable, CaseIterable {
    /// There is at least one that may answer.
    case accepted
    /// There are some, and none may.
    case rejected
    /// The partition has none that is near.
    case none
    /// The text is longer than the encoder reads.
    case tooLong = "too-long"
    /// The time budget was spent.
    case late
    /// Too many texts wait for the encoder.
    case busy
    /// The encoder failed, or is kept away from because it does.
    case failed

    package var word: String { rawValue }
}

package struct SemanticFinding: Sendable {
    package var result: SemanticResult
    /// The nearest first, of a bounded number.
    package var candidates: [SemanticCandidate]
    package var reading: (any SemanticReading)?

    package init(
        _ result: SemanticResult, candidates: [SemanticCandidate] = [], reading: (any SemanticReading)? = nil
    ) {
        self.result = result
        self.candidates = candidates
        self.reading = reading
    }

    /// Those that may answer, the nearest first.
    package var accepted: [SemanticMatch] { candidates.filter(\.isAccepted).map(\.match) }
}
