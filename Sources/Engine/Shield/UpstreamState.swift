import Core
import Tiers

/// What is known of one upstream, and whether it may be asked now.
struct UpstreamState: Sendable {
    /// Probes in a row that must fail before it is taken out: one may be lost on the way.
    private static let failedProbes = 2

    private(set) var plan: ShieldPlan.Upstream
    /// No longer in the plan; calls that are under way end as they will.
    private(set) var isRetired = false
    var pace: AdaptivePace
    var limit: ConcurrencyLimit
    var breaker: Breaker
    var latency = LatencyQuantile()
    var inFlight = 0
    var calls: UInt64 = 0
    private var failedProbes = 0

    init(_ plan: ShieldPlan.Upstream, breaker options: Breaker.Options, now: Int64) {
        self.plan = plan
        pace = AdaptivePace(
            requestsPerSecond: plan.requestsPerSecond, tokensPerMinute: plan.tokensPerMinute, now: now)
        limit = ConcurrencyLimit(plan.concurrency)
        breaker = Breaker(options)
    }

    mutating func change(_ plan: ShieldPlan.Upstream, now: Int64) {
        self.plan = plan
        isRetired = false
        pace.change(requestsPerSecond: plan.requestsPerSecond, tokensPerMinute: plan.tokensPerMinute, now: now)
        limit.change(plan.concurrency)
    }

    mutating func retire() { isRetired = true }

    var isHealthy: Bool { failedProbes < UpstreamState.failedProbes }

    /// Answers whether the verdict changed.
    mutating func probed(isHealthy: Bool) -> Bool {
        let before = self.isHealthy
        failedProbes = isHealthy ? 0 : min(UpstreamState.failedProbes, failedProbes + 1)
        return self.isHealthy != before
    }

    var load: Double { Double(inFlight) / Double(limit.current) }
    var hasRoom: Bool { inFlight < limit.current }
}
