import Core
import Synchronization

/// Which credentials the upstream accepted lately.
///
/// Where the cache is shared between credentials, a hit must not be had with one that the upstream would refuse.
/// Credentials are known by their keyed digest only.
package final class Trust: Sendable {
    private struct State {
        var accepted: [CacheKey: Int64] = [:]
        /// Credentials accepted before the last turn, so that forgetting the old ones costs nothing.
        var older: [CacheKey: Int64] = [:]
    }

    private let state = Mutex(State())
    private let lifetime: Int64
    private let limit: Int

    /// `lifetime` in nanoseconds; at most twice `limit` credentials are remembered.
    package init(lifetime: Int64, limit: Int = 50_000) {
        self.lifetime = lifetime
        self.limit = limit
    }

    /// `now` is monotonic, in nanoseconds.
    package func accept(_ credential: CacheKey, now: Int64) {
        state.withLock { state in
            if state.accepted.count >= limit, state.accepted[credential] == nil {
                state.older = state.accepted
                state.accepted = [:]
            }
            state.accepted[credential] = now
        }
    }

    /// What the upstream answered to a request with a credential, if it had one that matters.
    package func learn(_ status: Int, of credential: CacheKey?, now: Int64) {
        guard let credential else { return }
        if (200..<300).contains(status) {
            accept(credential, now: now)
        } else if status == 401 || status == 403 {
            refuse(credential)
        }
    }

    /// The upstream refused it (401 or 403).
    package func refuse(_ credential: CacheKey) {
        state.withLock { state in
            state.accepted[credential] = nil
            state.older[credential] = nil
        }
    }

    package func isTrusted(_ credential: CacheKey, now: Int64) -> Bool {
        state.withLock { state in
            guard let time = state.accepted[credential] ?? state.older[credential] else { return false }
            return now - time < lifetime
        }
    }
}
