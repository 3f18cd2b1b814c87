// What the engine needs from whoever knows which questions mean the same.

/// Remembers questions and finds those that mean the same.
package protocol SemanticMatching: Sendable {
    /// Names how texts are compared; part of every partition, so that answers never cross from one way to another.
    var identity: String { get }

    /// Looks for remembered questions of the same partition, within the time that it allows itself.
    ///
    /// - Parameters:
    ///   - key: what the request itself is known by; those that were found not to be answered alike are left out.
    ///   - threshold: what this request asks for instead of the settings' rule.
    func match(_ question: SemanticQuestion, under key: CacheKey, threshold: Double?) async -> SemanticFinding

    /// Remembers that the entry under `key` answers a question. Returns at once.
    ///
    /// - Parameters:
    ///   - reading: what `match` made of the question, nil where it was not asked or did not get that far.
    ///   - isNew: it was just made. An older one was found in a tier: what is known of it stays, others are not told of it,
    ///     and where much waits to be read it is left out.
    ///   - isWanted: whether the entry has not been purged; asked once the question can be found.
    func learn(
        _ question: SemanticQuestion, reading: (any SemanticReading)?, under key: CacheKey, _ facts: SemanticFacts,
        isNew: Bool, isWanted: @escaping @Sendable () -> Bool)

    /// Whether a match that was served to the request under `key` may be served to it again, by what was found out since,
    /// here and at other sidecars. Takes a microsecond.
    func standing(of match: SemanticMatch, for key: CacheKey) -> SemanticStanding

    /// The entry under a key is gone.
    func forget(_ key: CacheKey)

    /// Forgets what belongs to purged entries, and the texts with it. Takes its time.
    func forgetAll(where isGone: (CacheKey, SemanticFacts) -> Bool)

    /// Forgets what has expired; `now` in milliseconds since 1970. A bounded share of the work each time.
    func sweep(now: Int64)

    /// Whether two answers say the same.
    func agreement(_ one: String, _ other: String) async -> SemanticAgreement

    /// Somebody knows whether the answer of a match is right for the request under `key`. One that a person calls wrong
    /// is never served to it again.
    func observe(_ match: SemanticMatch, for key: CacheKey, isRight: Bool, by witness: SemanticWitness)

    /// A person who called a match right calls it wrong now.
    func withdraw(_ match: SemanticMatch, for key: CacheKey)
}

/// What became of a match that was served.
package enum SemanticStanding: Sendable {
    case stands
    /// It may be served, but the model is to be asked all the same, and its answer compared.
    case explores
    /// It was found to be wrong, or is not sure enough any more.
    case ended
}

/// Who says whether an answer was right.
package enum SemanticWitness: String, Sendable, CaseIterable {
    /// The model's own answer, asked for in spite of a match.
    case comparison
    /// Another model, which was shown both answers.
    case judge
    /// A person, through the admin port.
    case person
}

package enum SemanticAgreement: String, Sendable, CaseIterable {
    case right, wrong
    /// Too different to be called the same, too alike to be called wrong.
    case unclear
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
    /// What the pair was given before calibration, comparable among matches of one matcher; and how likely it is to be
    /// right by that alone. For those who learn from what comes of it.
    package var score: Float
    package var probability: Double
    /// Of that probability, before anything was observed.
    package var lowerBound: Double
    /// It was enough for the threshold that one request asked for; by the settings' rule it may not be.
    package var isByThreshold = false

    package init(
        key: CacheKey, similarity: Double, confidence: Double?, score: Float = 0, probability: Double = 0,
        lowerBound: Double = 0
    ) {
        self.key = key
        self.similarity = similarity
        self.confidence = confidence
        self.score = score
        self.probability = probability
        self.lowerBound = lowerBound
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
    /// The text is longer than is compared, or has no words.
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
    /// The model is to be asked all the same, and its answer compared.
    package var explores: Bool

    package init(
        _ result: SemanticResult, candidates: [SemanticCandidate] = [], reading: (any SemanticReading)? = nil,
        explores: Bool = false
    ) {
        self.result = result
        self.candidates = candidates
        self.reading = reading
        self.explores = explores
    }

    /// Those that may answer, the nearest first.
    package var accepted: [SemanticCandidate] { candidates.filter(\.isAccepted) }
}
