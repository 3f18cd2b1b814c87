/// The closed value set of a metric label, with a dense index for each value.
package protocol MetricLabelValue: CaseIterable, Equatable, Sendable {
    var labelWord: String { get }
    /// What the word means, where it does not explain itself.
    var labelSentence: String? { get }
    /// The position in `allCases`. Types counted on the way of every request spell it out as a switch, which
    /// compiles to nothing; for the others the search is cheap enough.
    var labelIndex: Int { get }
}

extension MetricLabelValue {
    package var labelSentence: String? { nil }

    package var labelIndex: Int {
        // The value is one of its own type's cases.
        Self.allCases.firstIndex(of: self).map { Self.allCases.distance(from: Self.allCases.startIndex, to: $0) } ?? 0
    }
}

extension MetricLabelValue where Self: RawRepresentable, RawValue == String {
    package var labelWord: String { rawValue }
}

extension Outcome.Kind: MetricLabelValue {
    package var labelIndex: Int {
        switch self {
        case .hit: 0
        case .semantic: 1
        case .stale: 2
        case .coalesced: 3
        case .miss: 4
        case .bypass: 5
        }
    }
}

extension TierName: MetricLabelValue {
    package var labelIndex: Int {
        switch self {
        case .memory: 0
        case .redis: 1
        case .objects: 2
        }
    }
}

extension BypassReason: MetricLabelValue {
    package var labelSentence: String? { sentence }
}

extension NotStored: MetricLabelValue {
    package var labelSentence: String? { sentence }
}

/// What a request was for: one of the dialects, or anything else that is passed through.
package enum Endpoint: String, MetricLabelValue {
    case chat, completions, embeddings, responses, messages, other

    package init(_ dialect: Dialect?) {
        switch dialect {
        case .chat: self = .chat
        case .completions: self = .completions
        case .embeddings: self = .embeddings
        case .responses: self = .responses
        case .messages: self = .messages
        case nil: self = .other
        }
    }

    package var labelIndex: Int {
        switch self {
        case .chat: 0
        case .completions: 1
        case .embeddings: 2
        case .responses: 3
        case .messages: 4
        case .other: 5
        }
    }
}

/// What a tier said to a look-up. `stale`: it held an entry past its lifetime.
package enum LookupResult: String, MetricLabelValue {
    case hit, stale, miss

    package var labelIndex: Int {
        switch self {
        case .hit: 0
        case .stale: 1
        case .miss: 2
        }
    }
}

/// What came of a request that might have been answered by meaning.
package enum SemanticLookup: String, MetricLabelValue {
    case served, alias, compared, rejected, none, gone, unreachable
    case tooLong = "too-long"
    case late, busy, failed

    package var labelSentence: String? {
        switch self {
        case .served: "It got the answer of a question that means the same."
        case .alias: "It got the answer that the same wording got before."
        case .compared: "It could have been served, and was asked of the model to compare."
        case .rejected: "There were near questions, and none of them means the same."
        case .none: "There was no near question."
        case .gone: "There was one, but its answer is gone."
        case .unreachable: "There was one, but the tier that may hold its answer could not be asked."
        case .tooLong: "The text is longer than is compared, or has no words."
        case .late: "`semantic.budget` was spent."
        case .busy: "Too many texts waited for the encoder."
        case .failed: "The encoder failed, or was not asked because it does."
        }
    }
}

/// The first reason why a near question was not taken for the same. The guards' own words, and those of the rule.
package enum SemanticRefusal: String, MetricLabelValue {
    case number, unit, date, version, negation, antonym, direction, entity, quoted, code, language, format, task, detail
    case question, size
    /// Below `semantic.threshold`, or too far away to be looked at.
    case similarity
    /// The lower bound of being right is below what `semantic.maxError` asks for.
    case confidence
    /// Somebody said that the one does not answer the other.
    case feedback

    package var labelSentence: String? {
        switch self {
        case .number: "Amounts, counts and ordinals differ."
        case .unit: "What is counted, or what it is converted to, differs."
        case .date: "Years, months, weekdays or times differ."
        case .version: "Versions differ."
        case .negation: "One denies what the other asks."
        case .antonym: "One says the opposite of the other."
        case .direction: "From A to B against from B to A."
        case .entity: "Two members of one class, such as two cities."
        case .quoted: "What stands between quotation marks differs."
        case .code: "Identifiers, paths, flags or operators differ."
        case .language: "The language asked for, or the texts' own one, differs."
        case .format: "The form or the length asked for differs."
        case .task: "What is to be done differs."
        case .detail: "One word differs in long texts that are otherwise the same."
        case .question: "One asks for another kind of answer: when instead of whether."
        case .size: "More text than is compared."
        case .similarity: "Less alike than `semantic.threshold`, or than is worth a look."
        case .confidence: "Not sure enough to be right, by `semantic.maxError`."
        case .feedback: "Somebody said that the one does not answer the other."
        }
    }
}

/// What came of what another sidecar told.
package enum AnnouncementResult: String, MetricLabelValue {
    case taken, unwanted
    case otherMatcher = "other-matcher"
    case damaged

    package var labelSentence: String? {
        switch self {
        case .taken: "It was learnt."
        case .unwanted: "Its answer was purged or has expired, or there is no room for it."
        case .otherMatcher:
            "Another encoder made it, or another version of how texts are compared by letters: it cannot be compared."
        case .damaged: "It cannot be read, or not with the encryption key that there is."
        }
    }
}

/// What was found out about a match.
package enum SemanticVerdict: String, MetricLabelValue {
    case right, wrong, withdrawn

    package var labelSentence: String? {
        switch self {
        case .right: "The answer was right."
        case .wrong: "It was not."
        case .withdrawn: "Of the right ones, those that the same person called wrong later: each is a wrong one, too."
        }
    }
}

/// Of what wrong answers by meaning are a share.
package enum SemanticErrorShare: String, MetricLabelValue {
    case hits, requests

    package var labelSentence: String? {
        switch self {
        case .hits: "Of the answers by meaning."
        case .requests: "Of all requests that might have been answered from the cache."
        }
    }
}

/// What of an estimate is told.
package enum EstimateBound: String, MetricLabelValue {
    case estimate, low, high

    package var labelSentence: String? {
        switch self {
        case .estimate: "What was counted; 0 before anything was."
        case .low: "It is at least this, with a confidence of 95 %."
        case .high: "It is at most this; 1 before anything was counted."
        }
    }
}

/// What came of asking a judge.
package enum JudgeResult: String, MetricLabelValue {
    case right, wrong, unclear, failed
    case overBudget = "over-budget"
    case tooLong = "too-long"

    package var labelSentence: String? {
        switch self {
        case .right: "Both answers agree."
        case .wrong: "They do not."
        case .unclear: "It said neither yes nor no."
        case .failed: "The call failed, or was shed."
        case .overBudget: "It was not asked: `semantic.judge.perHour` is spent, or enough calls are under way."
        case .tooLong: "It was not asked: question and answers are too long for it."
        }
    }
}

extension SemanticWitness: MetricLabelValue {
    package var labelSentence: String? {
        switch self {
        case .comparison: "The model's own answer, by how alike both are."
        case .judge: "The model of `semantic.judge`, which was shown both answers."
        case .person: "`POST /api/feedback`."
        }
    }
}

/// How a call to the upstream ended.
package enum UpstreamResult: MetricLabelValue {
    /// With a complete message whose status is below 400.
    case ok
    /// With a complete message whose status is 400 to 499.
    case clientError
    /// With a complete message whose status is 500 or more.
    case serverError
    case failed(UpstreamFailure.Kind)

    package static var allCases: [UpstreamResult] {
        [.ok, .clientError, .serverError] + UpstreamFailure.Kind.allCases.map { .failed($0) }
    }

    /// `status` is that of the message; `end` is how it ended.
    package init(status: Int, end: UpstreamEnd) {
        switch end {
        case .failed(let failure): self = .failed(failure.kind)
        case .complete: self = status < 400 ? .ok : status < 500 ? .clientError : .serverError
        }
    }

    /// Without the list of all cases, which would be made anew for every call.
    package var labelIndex: Int {
        switch self {
        case .ok: 0
        case .clientError: 1
        case .serverError: 2
        case .failed(let kind): 3 + (UpstreamFailure.Kind.allCases.firstIndex(of: kind) ?? 0)
        }
    }

    package var labelWord: String {
        switch self {
        case .ok: "ok"
        case .clientError: "client-error"
        case .serverError: "server-error"
        case .failed(let kind): kind.rawValue
        }
    }
}

package enum TokenKind: String, MetricLabelValue {
    case prompt, completion

    package var labelIndex: Int { self == .prompt ? 0 : 1 }
}

/// Why an entry left the memory tier.
package enum EvictionReason: String, MetricLabelValue {
    /// Room was needed for another entry.
    case capacity
    /// It was beyond its lifetime and its retention.
    case expired
    /// A newer entry came under the same key, or one that could not be kept.
    case replaced
    /// It was removed by key or by a purge.
    case purged
    /// The admission filter preferred what it would have displaced.
    case admission
}

extension PurgeGroup {
    /// What a purge is about, without its subject; the words are those of `name`.
    package enum Kind: String, MetricLabelValue {
        case everything = "all"
        case older, key, model, tag, namespace, tenant
    }

    package var kind: Kind {
        switch self {
        case .everything: .everything
        case .older: .older
        case .key: .key
        case .model: .model
        case .tag: .tag
        case .namespace: .namespace
        case .tenant: .tenant
        }
    }
}

extension StoreResult: MetricLabelValue {
    package var labelSentence: String? {
        switch self {
        case .stored: nil
        case .refused: "It is not to be kept there, or would be refused again."
        case .failed: "The tier could not do it, or was not asked because it fails."
        }
    }
}

/// What a breaker keeps callers away from.
package enum BreakerTarget: String, MetricLabelValue {
    case redis, objects
    /// `semantic.remote`.
    case encoder
}

/// Why an answer that waited to be written to a lower tier was given up.
package enum FillDrop: String, MetricLabelValue {
    /// The queue was full, and it had waited longest.
    case full
    /// It was tried as often as is allowed.
    case failed
    /// The sidecar stopped before its turn came.
    case stopped

    package var labelSentence: String? {
        switch self {
        case .full: "The queue was full, and it had waited longest."
        case .failed: "It was tried as often as is allowed."
        case .stopped: "The sidecar stopped before its turn came."
        }
    }
}

/// What became of an expired answer that was to be fetched anew.
package enum RevalidationResult: String, MetricLabelValue {
    case refreshed
    /// It was there already, or on its way.
    case unneeded
    case failed
    case dropped

    package var labelSentence: String? {
        switch self {
        case .refreshed: "A fresh answer took its place."
        case .unneeded: "A fresh one was there already or on its way, perhaps through another sidecar."
        case .failed: "The upstream failed, or its answer was none to keep; the expired one stays."
        case .dropped: "Too many were waiting; whoever asks next brings it up again."
        }
    }
}

/// What became of a request that was put to another model.
package enum FallbackResult: String, MetricLabelValue {
    case answered, failed

    package var labelSentence: String? {
        switch self {
        case .answered: "The other model's answer was served."
        case .failed: "It could not answer either; the client is told of the first failure."
        }
    }
}
