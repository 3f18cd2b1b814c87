import Core
import Tiers

/// The state of the shield at one moment, for metrics and statistics.
package struct ShieldReport: Sendable {
    package struct Upstream: Sendable {
        package var name: String
        package var inFlight: Int
        /// Calls at a time, now.
        package var limit: Int
        package var breaker: BreakerState
        package var isEjected: Bool
        package var isHealthy: Bool
        /// Requests a second that it is asked at most, now; nil: no limit.
        package var requestsPerSecond: Double?
        /// Time to the head of an answer that 95 of 100 stay under, in nanoseconds; nil while too few are known.
        package var latency95: Int64?
        /// Calls made since the start.
        package var calls: UInt64
    }

    /// By `Priority.rawValue`.
    package var waiting: [Int]
    package var upstreams: [Upstream]
    /// By `Priority.rawValue`, then in the order of `ShedReason.allCases`.
    package var sheds: [[UInt64]]
    /// Further attempts, and hedges, since the start.
    package var retries: UInt64
    package var hedges: UInt64
    package var tenants: Int
    /// Tickets that are known: waiting, in an attempt, or between two.
    package var tickets: Int
}
