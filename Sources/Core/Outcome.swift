/// How a request was answered. Closed: every answer has exactly one, and it gives the header word, the log word
/// and the metric label.
package enum Outcome: Sendable, Equatable {
    /// An exact match found in a tier.
    case hit(TierName)
    /// The answer of a neighbouring request.
    case semantic(TierName)
    /// An expired answer, served because the upstream could not.
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
    /// The method or path is none that Refrain caches.
    case endpoint
    /// The client sent `Cache-Control: no-store`.
    case noStore = "no-store"
    /// The body's `Content-Type` is not JSON.
    case contentType = "content-type"
    /// The body is compressed.
    case contentEncoding = "content-encoding"
    /// The body is not one JSON object.
    case notJSON = "not-json"
    /// An object of the body names a member twice, which parsers read differently.
    case duplicateMember = "duplicate-member"
    /// The body is not well-formed UTF-8, or escapes half a surrogate pair.
    case invalidUnicode = "invalid-unicode"
    /// The body nests deeper than `limits.jsonDepth`.
    case tooDeep = "too-deep"
    /// The body is larger than `cache.maxRequest`.
    case requestTooLarge = "request-too-large"
    /// The body has no `model`, or a control field of the wrong type.
    case unusableField = "unusable-field"
    /// The answer depends on state at the provider (a conversation, a background job).
    case stateful
    /// The cache is shared between credentials and this one was not accepted by the upstream lately.
    case untrusted
    /// An `x-refrain-*` or `Cache-Control` header has a value that cannot be read.
    case badControl = "bad-control"
    /// A header that must stand alone (a credential, the content type) is sent twice, which servers read differently.
    case duplicateHeader = "duplicate-header"
    /// `Connection` names a header that the upstream is not to see, so that it would answer another request than the
    /// key tells.
    case connectionOption = "connection-option"
    /// `cache.enabled` is false.
    case disabled

    package var word: String { rawValue }
}

/// Why an answer was not kept: the metric label `reason` of `refrain_not_stored_total`.
package enum NotStored: String, Sendable, CaseIterable, Error {
    /// The upstream's status is not 2xx.
    case status
    /// The body is not what the dialect promises.
    case malformed
    /// The answer, or the stream, ended early.
    case incomplete
    /// A choice ended for a reason other than a complete answer.
    case finishReason = "finish-reason"
    /// Larger than `cache.maxAnswer`, or than a memory shard.
    case tooLarge = "too-large"
    /// The upstream sent `Cache-Control: no-store`.
    case upstreamNoStore = "upstream-no-store"
    /// Nobody was left to wait for it, and `cache.onAbort` is `cancel`.
    case abandoned
    /// The upstream failed before it answered.
    case failed
    /// The body is coded in a way that cannot be undone.
    case contentEncoding = "content-encoding"
    /// Asked for less often than what it would have displaced from memory (`memory.eviction: tinylfu`).
    case admissionFilter = "admission-filter"
    /// Its lifetime was over when it arrived (`x-refrain-ttl: 0`).
    case expired
    /// Purged while it was being fetched.
    case purged

    package var word: String { rawValue }
}
