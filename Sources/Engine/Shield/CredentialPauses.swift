import Core

/// Which tenants are not to be put to which upstreams for a while, because these refused their own credentials.
///
/// There are few at a time, so they stand in a short list. When it is full, the pause that ends first gives way: the
/// worst that comes of it is one more refusal.
struct CredentialPauses: Sendable {
    private struct Pause: Sendable {
        let tenant: CacheKey
        let upstream: Int
        var until: Int64
    }

    static let capacity = 64

    private var pauses: [Pause] = []

    mutating func pause(_ tenant: CacheKey, _ upstream: Int, until time: Int64, now: Int64) {
        pauses.removeAll { $0.until <= now }
        if let known = pauses.firstIndex(where: { $0.tenant == tenant && $0.upstream == upstream }) {
            pauses[known].until = max(pauses[known].until, time)
            return
        }
        if pauses.count == CredentialPauses.capacity,
            let first = pauses.indices.min(by: { pauses[$0].until < pauses[$1].until })
        {
            pauses.remove(at: first)
        }
        pauses.append(Pause(tenant: tenant, upstream: upstream, until: time))
    }

    /// Another upstream has its place now.
    mutating func forget(upstream: Int) { pauses.removeAll { $0.upstream == upstream } }

    /// The end of a pause, or a time long ago where there is none.
    func end(_ tenant: CacheKey, _ upstream: Int) -> Int64 {
        for pause in pauses where pause.upstream == upstream && pause.tenant == tenant { return pause.until }
        return Int64.min
    }

    func concern(_ tenant: CacheKey) -> Bool { pauses.contains { $0.tenant == tenant } }

    func nextEnd(now: Int64) -> Int64? { pauses.lazy.map(\.until).filter { $0 > now }.min() }
}
