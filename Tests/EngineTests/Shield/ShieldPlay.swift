import Core
import Tiers

@testable import Engine

/// The events of one shield in virtual time, in milliseconds, with short words for what came of them.
struct ShieldPlay {
    var state: ShieldState
    var now: Int64 = 0
    var changes: [ShieldChange] = []

    static let millisecond = Duration64.nanosecondsPerMillisecond
    static let second = Duration64.nanosecondsPerSecond

    init(_ plan: ShieldPlan) { state = ShieldState(plan, now: 0, random: 1) }

    /// `1>0 2!deadline`: ticket 1 was started on upstream 0, ticket 2 was shed.
    mutating func words(_ steps: ShieldSteps) -> String {
        changes += steps.changes
        let starts = steps.starts.map { "\($0.ticket)>\($0.upstream)" }
        return (starts + steps.sheds.map { "\($0.ticket)!\($0.reason.rawValue)" }).joined(separator: " ")
    }

    mutating func pass(_ milliseconds: Int64) { now += milliseconds * Self.millisecond }

    mutating func arrive(
        _ ticket: UInt64, _ priority: Priority = .standard, tenant: UInt64 = 0, tokens: Int = 0,
        patience: Int64? = nil
    ) -> String {
        let demand = UpstreamDemand(
            priority: priority, tenant: CacheKey(tenant, 0, 0, 0), tokens: tokens,
            patience: patience.map { $0 * Self.millisecond })
        return words(state.arrive(demand, ticket: ticket, now: now))
    }

    mutating func answer(
        _ ticket: UInt64, _ upstream: Int, _ status: Int = 200, _ news: RateNews? = nil, latency: Int64 = 100
    ) -> String {
        words(
            state.answered(
                ticket: ticket, upstream: upstream, status: status, news: news, latency: latency * Self.millisecond,
                now: now))
    }

    mutating func end(_ ticket: UInt64, _ upstream: Int, _ result: AttemptResult = .complete) -> String {
        words(state.ended(ticket: ticket, upstream: upstream, result: result, now: now))
    }

    mutating func another(_ ticket: UInt64) -> String { words(state.another(ticket: ticket, now: now)) }
    mutating func hedge(_ ticket: UInt64) -> String { words(state.hedge(ticket: ticket, now: now)) }
    mutating func abandon(_ ticket: UInt64) -> String { words(state.abandon(ticket: ticket, now: now)) }
    mutating func tick() -> String { words(state.tick(now: now)) }

    mutating func probe(_ upstream: Int, _ isHealthy: Bool) -> String {
        words(state.probed(upstream: upstream, isHealthy: isHealthy, now: now))
    }

    /// Goes to the next wake, if there is one, and ticks.
    mutating func wake() -> String? {
        guard let wake = state.nextWake else { return nil }
        now = max(now, wake)
        return tick()
    }
}

extension ShieldPlan {
    /// Upstreams of so many slots each.
    static func of(_ slots: Int..., weights: [Int]? = nil, change: (inout ShieldPlan) -> Void = { _ in }) -> ShieldPlan
    {
        var plan = ShieldPlan(
            upstreams: slots.enumerated().map {
                Upstream(name: "u\($0.offset)", weight: weights?[$0.offset] ?? 1, concurrency: .fixed($0.element))
            })
        change(&plan)
        return plan
    }
}
