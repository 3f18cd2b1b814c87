import Core

/// What each tenant may still ask for, for a bounded number of tenants.
///
/// The one that has been quiet for longest makes room for a new one, but only if its buckets are full again: nobody
/// gains by coming under ever new names. Where there is no such one, newcomers share one allowance.
struct TenantLimits: Sendable {
    private struct Account: Sendable {
        var tenant: CacheKey
        var requests: TokenBucket?
        var tokens: TokenBucket?
        /// Towards the ones that were quiet for longer, and for less long.
        var older: Int
        var newer: Int
    }

    /// Bursts of a second of requests, and of ten seconds of tokens, are nobody's fault.
    private static let requestBurst = 1.0
    private static let tokenBurst = 10.0
    private static let none = -1
    /// The account of those that found no room.
    private static let shared = 0

    private var requestsPerSecond: Double?
    private var tokensPerSecond: Double?
    private let capacity: Int
    private var accounts: [Account] = []
    private var index: [CacheKey: Int] = [:]
    private var oldest = TenantLimits.none
    private var newest = TenantLimits.none

    init(requestsPerSecond: Double?, tokensPerMinute: Double?, capacity: Int, now: Int64) {
        self.requestsPerSecond = requestsPerSecond
        tokensPerSecond = tokensPerMinute.map { $0 / 60 }
        self.capacity = max(1, capacity)
        accounts.append(newAccount(CacheKey(0, 0, 0, 0), now: now))
    }

    var isLimited: Bool { requestsPerSecond != nil || tokensPerSecond != nil }
    var count: Int { index.count }

    /// Takes a request of so many tokens, or says when it could be taken, in nanoseconds from now.
    mutating func take(_ tenant: CacheKey, tokens: Int, now: Int64) -> Int64? {
        guard isLimited, tenant != CacheKey(0, 0, 0, 0) else { return nil }
        let at = account(of: tenant, now: now)
        let ready = max(
            accounts[at].requests?.readyAt(for: 1, now: now) ?? now,
            accounts[at].tokens?.readyAt(for: Double(tokens), now: now) ?? now)
        guard ready <= now else { return ready - now }
        accounts[at].requests?.take(1, now: now)
        accounts[at].tokens?.take(Double(tokens), now: now)
        return nil
    }

    mutating func give(_ tenant: CacheKey, tokens: Int) {
        guard tokensPerSecond != nil, let at = index[tenant] else { return }
        accounts[at].tokens?.give(Double(tokens))
    }

    private func newAccount(_ tenant: CacheKey, now: Int64) -> Account {
        Account(
            tenant: tenant,
            requests: requestsPerSecond.map { TokenBucket(rate: $0, burst: TenantLimits.requestBurst, now: now) },
            tokens: tokensPerSecond.map { TokenBucket(rate: $0, burst: TenantLimits.tokenBurst, now: now) },
            older: TenantLimits.none, newer: TenantLimits.none)
    }

    private mutating func account(of tenant: CacheKey, now: Int64) -> Int {
        if let at = index[tenant] {
            unlink(at)
            linkAsNewest(at)
            return at
        }
        let at: Int
        if index.count < capacity {
            at = accounts.count
            accounts.append(newAccount(tenant, now: now))
        } else if isFull(oldest, now: now) {
            at = oldest
            unlink(at)
            index[accounts[at].tenant] = nil
            accounts[at] = newAccount(tenant, now: now)
        } else {
            return TenantLimits.shared
        }
        index[tenant] = at
        linkAsNewest(at)
        return at
    }

    private func isFull(_ at: Int, now: Int64) -> Bool {
        let account = accounts[at]
        return account.requests.map { $0.isReady(for: $0.capacity, now: now) } ?? true
            && account.tokens.map { $0.isReady(for: $0.capacity, now: now) } ?? true
    }

    private mutating func unlink(_ at: Int) {
        let (older, newer) = (accounts[at].older, accounts[at].newer)
        if older == TenantLimits.none { oldest = newer } else { accounts[older].newer = newer }
        if newer == TenantLimits.none { newest = older } else { accounts[newer].older = older }
    }

    private mutating func linkAsNewest(_ at: Int) {
        accounts[at].older = newest
        accounts[at].newer = TenantLimits.none
        if newest == TenantLimits.none { oldest = at } else { accounts[newest].newer = at }
        newest = at
    }
}
