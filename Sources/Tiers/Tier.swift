import Core

/// What a tier says of a key.
package enum TierFinding: Sendable {
    case held(Entry)
    /// It is not there, or nothing that can be served any more.
    case nothing
    /// The tier failed or was not asked, or what it holds is for others to read: an entry may be there.
    case unknown

    package var entry: Entry? { if case .held(let entry) = self { entry } else { nil } }
}

/// A place that holds answers. A tier never fails a request: what goes wrong inside it is a counted miss.
package protocol Tier: Sendable {
    var name: TierName { get }

    /// What is under a key, expired entries included: the caller judges freshness, because a stale answer may still be
    /// wanted.
    func look(for key: CacheKey) async -> TierFinding

    @discardableResult
    func store(_ entry: Entry, under key: CacheKey) async -> StoreResult

    /// Whether something was held.
    @discardableResult
    func remove(_ key: CacheKey) async -> Bool
}

extension Tier {
    /// The entry under a key, for those to whom a tier that fails is a miss like any other.
    package func find(_ key: CacheKey) async -> Entry? { await look(for: key).entry }
}
