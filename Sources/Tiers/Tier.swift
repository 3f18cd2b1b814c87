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

package enum StoreResult: Sendable, Equatable {
    case stored
    /// It is not to be kept here, or will be refused again: trying once more is of no use.
    case refused
    /// The tier could not do it now.
    case failed
}
