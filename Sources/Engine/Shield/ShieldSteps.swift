import Core
import Tiers

/// What is to be done after an event of `ShieldState`, in this order.
package struct ShieldSteps: Sendable {
    package struct Start: Sendable, Equatable {
        package let ticket: UInt64
        /// Index into `ShieldState.names`.
        package let upstream: Int
    }

    package struct Shed: Sendable, Equatable {
        package let ticket: UInt64
        package let reason: ShedReason
        /// In nanoseconds; at least a second, and not the same for everybody.
        package let retryAfter: Int64
    }

    /// A call is to be made.
    package var starts: [Start] = []
    /// The request is over, and was not put to an upstream, or not once more.
    package var sheds: [Shed] = []
    /// A log line each.
    package var changes: [ShieldChange] = []

    package init() {}
}

package enum ShieldChange: Sendable, Equatable {
    case breaker(upstream: Int, from: BreakerState, to: BreakerState)
    /// Left alone for so many nanoseconds, because it does worse than the others.
    case ejected(upstream: Int, pause: Int64, why: OutlierEjection.Reason)
    case returned(upstream: Int)
    case health(upstream: Int, isHealthy: Bool)
    /// It refused: from now on it is asked at most this often a second.
    case slowed(upstream: Int, requestsPerSecond: Double)
}

/// How an attempt ended.
package enum AttemptResult: Sendable, Equatable {
    /// Its answer was passed on and is complete. The ticket is over.
    case complete
    /// No connection: nothing was sent, so the tokens it would have taken are free again.
    case unreachable
    /// A timeout, a connection that broke, an answer that is none.
    case failed
    /// Given up by us: the loser of a hedge, or a head (429, 5xx) that is not passed on.
    case cancelled
}
