/// How a request was answered. Closed: every answer has exactly one, and it gives the header word, the log word
/// and the metric label.
package enum Outcome: Sendable, Equatable {
    /// An exact match found in a tier.
    case hit(TierName)
    /// The answer of a neighbouring request.
    case semantic(TierName)
    /// An expired answer, served while a fresh one is fetched, or because the upstream could not.
    case stale(TierName)
    /// The answer another client was already waiting for.
    case coalesced
    /// Asked of the upstream, as a request that may be cached.
    case miss
    /// Passed to the upstream without looking at the cache.
    case bypass(BypassReason)

    /// The value of `x-refrain-cache` and of the metric label `outcome`.
    package var word: String { kind.rawValue }

    /// The outcome without its detail: the bounded set that metrics count.
    package enum Kind: String, Sendable, CaseIterable {
        case hit
        case semantic = "hit-semantic"
        case stale, coalesced, miss, bypass
    }

    package var kind: Kind {
        switch self {
        case .hit: .hit
        case .semantic: .semantic
        case .stale: .stale
        case .coalesced: .coalesced
        case .miss: .miss
        case .bypass: .bypass
        }
    }

    /// The tier that held the answer, the value of `x-refrain-tier`.
    package var tier: TierName? {
        switch self {
        case .hit(let tier), .semantic(let tier), .stale(let tier): tier
        case .coalesced, .miss, .bypass: nil
        }
    }
}

package enum TierName: String, Sendable, CaseIterable {
    case memory, redis, objects
}

/// Why a request was passed on without looking at the cache: the value of `x-refrain-reason`.
package enum BypassReason: String, Sendable, CaseIterable, Error {
    case endpoint
    case noStore = "no-store"
    case contentType = "content-type"
    case contentEncoding = "content-encoding"
    case notJSON = "not-json"
    case duplicateMember = "duplicate-member"
    case invalidUnicode = "invalid-unicode"
    case tooDeep = "too-deep"
    case requestTooLarge = "request-too-large"
    case unusableField = "unusable-field"
    case stateful
    case untrusted
    case badControl = "bad-control"
    case duplicateHeader = "duplicate-header"
    case connectionOption = "connection-option"
    case disabled

    package var word: String { rawValue }

    /// What it means, for people.
    package var sentence: String {
        switch self {
        case .endpoint: "The method or path is none that Refrain caches."
        case .noStore: "The client sent `Cache-Control: no-store`."
        case .contentType: "The body's `Content-Type` is not JSON."
        case .contentEncoding: "The body is compressed."
        case .notJSON: "The body is not one JSON object."
        case .duplicateMember: "An object of the body names a member twice, which parsers read differently."
        case .invalidUnicode: "The body is not well-formed UTF-8, or escapes half a surrogate pair."
        case .tooDeep: "The body nests deeper than `limits.jsonDepth`."
        case .requestTooLarge: "The body is larger than `cache.maxRequest`."
        case .unusableField: "The body has no `model`, or a control field of the wrong type."
        case .stateful: "The answer depends on state at the provider (a conversation, a background job)."
        case .untrusted: "The cache is shared between credentials and this one was not accepted by the upstream lately."
        case .badControl: "An `x-refrain-*` or `Cache-Control` header has a value that cannot be read."
        case .duplicateHeader:
            "A header that must stand alone (a credential, the content type) is sent twice, which servers read "
                + "differently."
        case .connectionOption:
            "`Connection` names a header that the upstream is not to see, so that it would answer another request than "
                + "the key tells."
        case .disabled: "`cache.enabled` is false."
        }
    }
}

/// Why an answer was not kept: the metric label `reason` of `refrain_not_stored_total`.
package enum NotStored: String, Sendable, CaseIterable, Error {
    case status
    case malformed
    case incomplete
    case finishReason = "finish-reason"
    case tooLarge = "too-large"
    case upstreamNoStore = "upstream-no-store"
    case abandoned
    case failed
    case contentEncoding = "content-encoding"
    case admissionFilter = "admission-filter"
    case expired
    case purged

    package var word: String { rawValue }

    /// What it means, for people.
    package var sentence: String {
        switch self {
        case .status: "The upstream's status is not 2xx."
        case .malformed: "The body is not what the dialect promises."
        case .incomplete: "The answer, or the stream, ended early."
        case .finishReason: "A choice ended for a reason other than a complete answer."
        case .tooLarge: "Larger than `cache.maxAnswer`, or than a memory shard."
        case .upstreamNoStore: "The upstream sent `Cache-Control: no-store`."
        case .abandoned: "Nobody was left to wait for it, so `cache.onAbort` or `cache.abortTimeout` ended it."
        case .failed: "The upstream failed before or within its answer."
        case .contentEncoding: "The body is coded in a way that cannot be undone."
        case .admissionFilter:
            "Asked for less often than what it would have displaced from memory (`memory.eviction: tinylfu`)."
        case .expired: "Its lifetime was over when it arrived (`x-refrain-ttl: 0`)."
        case .purged: "Purged while it was being fetched."
        }
    }
}

/// What became of an entry that a tier was to keep.
package enum StoreResult: String, Sendable, CaseIterable {
    case stored
    /// It is not to be kept here, or will be refused again: trying once more is of no use.
    case refused
    /// The tier could not do it now.
    case failed
}

/// Whether calls of something that may fail are made.
package enum BreakerState: Int, Sendable, CaseIterable {
    /// All calls pass.
    case closed = 0
    /// One does, and decides.
    case halfOpen = 1
    /// None does.
    case open = 2

    package var word: String {
        switch self {
        case .closed: "closed"
        case .halfOpen: "half-open"
        case .open: "open"
        }
    }
}
