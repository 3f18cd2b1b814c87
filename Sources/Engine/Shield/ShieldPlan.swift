import Core
import Tiers

/// What the settings say of upstreams and limits, as plain values. Times are nanoseconds; nil is "no limit".
package struct ShieldPlan: Sendable, Equatable {
    package enum Concurrency: Sendable, Equatable {
        /// So many calls at a time; at least one.
        case fixed(Int)
        /// Follows the latency of the upstream between the two (`ConcurrencyLimit`).
        case adaptive(min: Int, max: Int)
    }

    package enum Choice: String, Sendable, CaseIterable {
        /// In turn, as often as the weights say.
        case weighted
        /// The one with the fewest calls for its weight.
        case leastLoaded = "least-loaded"
    }

    /// In which order those of one class are served.
    package enum Order: String, Sendable, CaseIterable {
        /// First come, first served.
        case arrival
        /// The latest first while a class is in overload (docs/decisions/the-latest-first-in-overload.md).
        case latestInOverload = "latest-in-overload"
    }

    package struct Upstream: Sendable, Equatable {
        /// What a reload knows it by.
        package var name: String
        /// 1 or more.
        package var weight: Int
        package var requestsPerSecond: Double?
        package var tokensPerMinute: Double?
        package var concurrency: Concurrency
        /// Only used when the others are busy beyond `overflowAt`, or cannot be used.
        package var isOverflow: Bool
        /// Whether all clients are one customer of this upstream. Where each brings a credential of its own, a 429
        /// is about that one alone and must not slow the others down.
        package var sharesCredential: Bool

        package init(
            name: String, weight: Int = 1, requestsPerSecond: Double? = nil, tokensPerMinute: Double? = nil,
            concurrency: Concurrency = .adaptive(min: 1, max: 256), isOverflow: Bool = false,
            sharesCredential: Bool = true
        ) {
            self.name = name
            self.weight = max(1, weight)
            self.requestsPerSecond = requestsPerSecond
            self.tokensPerMinute = tokensPerMinute
            self.concurrency = concurrency
            self.isOverflow = isOverflow
            self.sharesCredential = sharesCredential
        }
    }

    package var upstreams: [Upstream]
    /// What one tenant may ask of all upstreams together.
    package var tenantRequestsPerSecond: Double?
    package var tenantTokensPerMinute: Double?
    /// How many tenants are told apart; further ones share one allowance.
    package var tenants = 4096
    /// How many may wait, of each class.
    package var queue = 256
    /// How long a request that does not say otherwise may wait.
    package var patience: Int64 = 10 * Duration64.nanosecondsPerSecond
    /// This and the next are no settings: they vary where orders are compared, and a reload does not change them.
    package var order = Order.latestInOverload
    /// The share of its patience that a request may wait in overload, if the latest go first then.
    package var overloadPatience = 0.5
    /// Further attempts and hedges, as a share of the requests of the last ten seconds …
    package var retryRatio = 0.2
    /// … and so many a second on top, for times of little traffic.
    package var retriesPerSecond = 1.0
    package var hedges = false
    package var choice = Choice.weighted
    /// Share of the slots of the others that are taken when overflow upstreams are used too.
    package var overflowAt = 0.8
    package var breaker: Breaker.Options = {
        var options = Breaker.Options()
        options.pause = Duration64.nanosecondsPerSecond
        options.longestPause = 15 * Duration64.nanosecondsPerSecond
        return options
    }()

    package init(upstreams: [Upstream]) { self.upstreams = upstreams }
}
