import Core

/// A place that holds answers. A tier never fails a request: what goes wrong inside it is a counted miss.
package protocol Tier: Sendable {
    var name: TierName { get }

    /// The entry under a key, expired ones included: the caller judges freshness, because a stale answer may
    /// still be wanted.
    func find(_ key: CacheKey) async -> Entry?

    @discardableResult
    func store(_ entry: Entry, under key: CacheKey) async -> StoreResult

    /// Whether something was held.
    @discardableResult
    func remove(_ key: CacheKey) async -> Bool
}
