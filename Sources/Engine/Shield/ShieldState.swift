import Core
import Tiers

/// What stands between the requests that must go to a model and the upstreams: limits of tenants, a queue, the choice
/// of an upstream, its limits, and what is learnt from its answers.
///
/// A plain value: events go in, what is to be done comes out as `ShieldSteps`. Time is an argument (monotonic
/// nanoseconds that never run backwards), chance comes from a seed. Whoever holds it guards it with a lock, does the
/// steps outside, and calls `tick` at `nextWake`.
///
/// A *ticket* is a request, under a number that is never used again. From `arrive` it ends exactly once: with a `Shed`,
/// with `ended(.complete)`, or with `abandon`. After any other end of its last attempt it rests, and its owner says
/// `another` or `abandon`. Events of tickets that are over are ignored, so that an owner need not mind what crosses on
/// its way.
///
/// An upstream is an index into `names`, which a reload does not change for those that stay.
package struct ShieldState: Sendable {
    private(set) var plan: ShieldPlan
    var upstreams: [UpstreamState] = []
    var choice = WeightedChoice()
    var outliers: OutlierEjection
    var queue: PriorityQueue
    var tickets = TicketTable()
    var pauses = CredentialPauses()
    private var tenants: TenantLimits
    private var budget: RetryBudget
    /// Starts a second.
    private var pace: RateMeter
    /// Of the last event.
    private(set) var now: Int64
    private var chance: UInt64
    private var sheds = [[UInt64]](
        repeating: [UInt64](repeating: 0, count: ShedReason.allCases.count), count: Priority.allCases.count)
    private var retries: UInt64 = 0
    private var hedges: UInt64 = 0
    /// Who may be chosen at the moment: kept, so that a choice allocates nothing.
    var candidates: [Bool] = []
    var loads: [Double] = []

    package init(_ plan: ShieldPlan, now: Int64, random seed: UInt64) {
        self.plan = plan
        self.now = now
        chance = seed
        outliers = OutlierEjection(now: now)
        queue = PriorityQueue(order: plan.order, overloadPatience: plan.overloadPatience)
        tenants = TenantLimits(
            requestsPerSecond: plan.tenantRequestsPerSecond, tokensPerMinute: plan.tenantTokensPerMinute,
            capacity: plan.tenants, now: now)
        budget = RetryBudget(ratio: plan.retryRatio, perSecond: plan.retriesPerSecond)
        pace = RateMeter(now: now)
        for upstream in plan.upstreams { add(upstream) }
    }

    /// The upstreams, also those that a reload took out: their calls may still be under way.
    package var names: [String] { upstreams.map(\.plan.name) }

    // MARK: Events

    /// A request is there. `ticket` was never used before.
    package mutating func arrive(_ demand: UpstreamDemand, ticket: UInt64, now: Int64) -> ShieldSteps {
        precondition(tickets.place(of: ticket) == nil, "ShieldState: a ticket is used once")
        var steps = begin(now)
        let patience = min(demand.patience ?? plan.patience, plan.patience)
        let new = Ticket(number: ticket, demand, patience: max(0, patience))
        if let wait = tenants.take(new.tenant, tokens: new.tokens, now: self.now) {
            note(.tenantLimit, new, after: wait, &steps)
            return steps
        }
        let place = tickets.insert(new)
        enqueue(place, isNext: false)
        dispatch(&steps)
        if queue.count(of: new.priority) > plan.queue, let last = queue.last(of: new.priority) {
            shed(last, .queueFull, &steps)
        }
        return steps
    }

    /// The head of an answer came, `latency` nanoseconds after its start. The attempt goes on.
    package mutating func answered(
        ticket: UInt64, upstream: Int, status: Int, news: RateNews? = nil, latency: Int64, now: Int64
    ) -> ShieldSteps {
        var steps = begin(now)
        guard let place = tickets.place(of: ticket), let attempt = tickets[place].attempt(on: upstream) else {
            return steps
        }
        tickets[place].noteAnswer(from: upstream)
        let status = AnswerStatus(status)
        learn(from: status, of: attempt, latency: latency, &steps)
        heed(news, status: status, attempt, tickets[place], &steps)
        dispatch(&steps)
        return steps
    }

    /// An attempt is over; see `AttemptResult` for what becomes of the ticket.
    package mutating func ended(ticket: UInt64, upstream: Int, result: AttemptResult, now: Int64) -> ShieldSteps {
        var steps = begin(now)
        guard let place = tickets.place(of: ticket), let attempt = tickets[place].attempt(on: upstream) else {
            return steps
        }
        switch result {
        case .complete:
            remove(place)
        case .unreachable:
            let tokens = tickets[place].tokens
            upstreams[upstream].pace.give(tokens: tokens)
            blame(attempt, &steps)
            release(upstream, of: place)
        case .failed:
            if !attempt.isAnswered { upstreams[upstream].limit.dropped(start: attempt.start, now: self.now) }
            blame(attempt, &steps)
            release(upstream, of: place)
        case .cancelled:
            blameOverdue(attempt, &steps)
            release(upstream, of: place)
        }
        dispatch(&steps)
        return steps
    }

    /// The owner of a resting ticket wants one more attempt, on an upstream that it was not put to. It starts, waits
    /// for its turn before all others of its class, or is shed.
    package mutating func another(ticket: UInt64, now: Int64) -> ShieldSteps {
        var steps = begin(now)
        guard let place = tickets.place(of: ticket), tickets[place].state == .resting else { return steps }
        if !hasUpstream(for: tickets[place], by: self.now + tickets[place].patience) {
            shed(place, .noUpstream, &steps)
        } else if !budget.takeRetry(now: self.now) {
            shed(place, .retryBudget, &steps)
        } else {
            retries += 1
            enqueue(place, isNext: true)
            dispatch(&steps)
        }
        return steps
    }

    /// A second attempt beside one that is slow to answer; nothing happens where there is no room for it.
    package mutating func hedge(ticket: UInt64, now: Int64) -> ShieldSteps {
        var steps = begin(now)
        guard plan.hedges, let place = tickets.place(of: ticket), let first = tickets[place].first,
            tickets[place].second == nil, !first.isAnswered,
            let upstream = choose(for: tickets[place], isHedge: true), budget.takeRetry(now: self.now)
        else { return steps }
        hedges += 1
        start(place, on: upstream, &steps)
        return steps
    }

    /// How long after the start of a call its hedge is worth it, in nanoseconds; nil: never, or not known yet.
    package func hedgeDelay(upstream: Int) -> Int64? {
        plan.hedges ? upstreams[upstream].latency.value(0.95) : nil
    }

    /// Nobody wants the answer any more. Attempts that are under way count as over, so cancel them.
    package mutating func abandon(ticket: UInt64, now: Int64) -> ShieldSteps {
        var steps = begin(now)
        guard let place = tickets.place(of: ticket) else { return steps }
        if let first = tickets[place].first { blameOverdue(first, &steps) }
        if let second = tickets[place].second { blameOverdue(second, &steps) }
        remove(place)
        dispatch(&steps)
        return steps
    }

    /// How many tokens a call took in the end.
    package mutating func settle(upstream: Int, tenant: CacheKey, estimated: Int, actual: Int) {
        guard upstreams.indices.contains(upstream) else { return }
        let unused = max(0, estimated) - max(0, actual)
        upstreams[upstream].pace.give(tokens: unused)
        tenants.give(tenant, tokens: unused)
    }

    /// What a health check found.
    package mutating func probed(upstream: Int, isHealthy: Bool, now: Int64) -> ShieldSteps {
        var steps = begin(now)
        guard upstreams.indices.contains(upstream), !upstreams[upstream].isRetired else { return steps }
        if upstreams[upstream].probed(isHealthy: isHealthy) {
            steps.changes.append(.health(upstream: upstream, isHealthy: isHealthy))
        }
        // A probe that goes well spares a request the look.
        if isHealthy, upstreams[upstream].breaker.state != .closed {
            let (permit, change) = upstreams[upstream].breaker.admit(now: self.now)
            note(change, of: upstream, &steps)
            if let permit { note(upstreams[upstream].breaker.succeeded(permit), of: upstream, &steps) }
        }
        dispatch(&steps)
        return steps
    }

    /// The settings were read again. Upstreams of the same name keep what is known of them.
    package mutating func replan(_ plan: ShieldPlan, now: Int64) -> ShieldSteps {
        var steps = begin(now)
        let old = self.plan
        self.plan = plan
        for index in upstreams.indices where !plan.upstreams.contains(where: { $0.name == upstreams[index].plan.name })
        {
            upstreams[index].retire()
            outliers.set(member: false, at: index)
        }
        for upstream in plan.upstreams { add(upstream) }
        if (old.tenantRequestsPerSecond, old.tenantTokensPerMinute) != (
            plan.tenantRequestsPerSecond, plan.tenantTokensPerMinute
        ) || old.tenants != plan.tenants {
            tenants = TenantLimits(
                requestsPerSecond: plan.tenantRequestsPerSecond, tokensPerMinute: plan.tenantTokensPerMinute,
                capacity: plan.tenants, now: self.now)
        }
        budget = RetryBudget(ratio: plan.retryRatio, perSecond: plan.retriesPerSecond, from: budget)
        dispatch(&steps)
        return steps
    }

    /// Time has passed.
    package mutating func tick(now: Int64) -> ShieldSteps {
        var steps = begin(now)
        dispatch(&steps)
        return steps
    }

    package func report() -> ShieldReport {
        let active = upstreams.indices.filter { !upstreams[$0].isRetired }
        return ShieldReport(
            waiting: Priority.allCases.map { queue.count(of: $0) },
            upstreams: active.map { index in
                let upstream = upstreams[index]
                return ShieldReport.Upstream(
                    name: upstream.plan.name, inFlight: upstream.inFlight, limit: upstream.limit.current,
                    breaker: upstream.breaker.state, isEjected: outliers.isEjected(index),
                    isHealthy: upstream.isHealthy, requestsPerSecond: upstream.pace.requestsPerSecond,
                    latency95: upstream.latency.value(0.95), calls: upstream.calls)
            }, sheds: sheds, retries: retries, hedges: hedges, tenants: tenants.count, tickets: tickets.count)
    }

    // MARK: Tickets

    /// What time alone has brought, before the event is looked at.
    mutating func begin(_ time: Int64) -> ShieldSteps {
        now = max(now, time)
        var steps = ShieldSteps()
        queue.judge(now: now)
        while let late = queue.expired(now: now) { shed(late, .deadline, &steps) }
        while let back = outliers.returned(now: now) { steps.changes.append(.returned(upstream: back)) }
        for ejection in outliers.look(now: now) {
            steps.changes.append(.ejected(upstream: ejection.index, pause: ejection.pause, why: ejection.reason))
        }
        return steps
    }

    private mutating func enqueue(_ place: Int, isNext: Bool) {
        tickets[place].state = .waiting
        let deadline = now.addingReportingOverflow(tickets[place].patience).partialValue
        queue.insert(place, tickets[place].priority, deadline: deadline, now: now, isNext: isNext)
    }

    mutating func start(_ place: Int, on upstream: Int, _ steps: inout ShieldSteps) {
        let (permit, change) = upstreams[upstream].breaker.admit(now: now)
        // Chosen are only those whose breaker lets a call through.
        guard let permit else { return }
        note(change, of: upstream, &steps)
        if tickets[place].state == .waiting {
            tickets[place].patience = max(0, queue.deadline(of: place) - now)
            queue.remove(place)
            queue.started(tickets[place].priority)
        }
        // What is refused at the door earns nobody a retry.
        if tickets[place].isFresh { budget.noteRequest(now: now) }
        pace.note(now: now)
        upstreams[upstream].pace.take(tokens: tickets[place].tokens, now: now)
        upstreams[upstream].inFlight += 1
        upstreams[upstream].calls += 1
        tickets[place].begin(Ticket.Attempt(upstream: upstream, permit: permit, start: now))
        steps.starts.append(ShieldSteps.Start(ticket: tickets[place].number, upstream: upstream))
    }

    mutating func shed(_ place: Int, _ reason: ShedReason, _ steps: inout ShieldSteps) {
        let ticket = tickets[place]
        if ticket.isFresh { tenants.give(ticket.tenant, tokens: ticket.tokens) }
        remove(place)
        note(reason, ticket, after: wait(for: reason), &steps)
    }

    private mutating func note(
        _ reason: ShedReason, _ ticket: Ticket, after wait: Int64, _ steps: inout ShieldSteps
    ) {
        // `allCases` has every case, in the order of the counters.
        let index = ShedReason.allCases.firstIndex(of: reason)!
        sheds[ticket.priority.rawValue][index] += 1
        let second = Duration64.nanosecondsPerSecond
        let base = min(max(wait, second), 60 * second)
        // Up to a quarter more, so that those who were shed together do not come back together.
        let retryAfter = base + Int64(truncatingIfNeeded: drawn() % UInt64(base / 4))
        steps.sheds.append(ShieldSteps.Shed(ticket: ticket.number, reason: reason, retryAfter: retryAfter))
    }

    private func wait(for reason: ShedReason) -> Int64 {
        switch reason {
        case .noUpstream: (nextUse ?? now) - now
        case .queueFull, .deadline: drainTime
        case .tenantLimit, .retryBudget: 0
        }
    }

    /// How long it takes until those who wait now are served, at the present pace.
    private var drainTime: Int64 {
        var pace = pace
        let rate = max(0.01, pace.rate(now: now))
        return Int64(Double(queue.count + 1) / rate * Double(Duration64.nanosecondsPerSecond))
    }

    private mutating func release(_ upstream: Int, of place: Int) {
        upstreams[upstream].inFlight -= 1
        tickets[place].end(on: upstream)
    }

    /// Forgets a ticket and what it held.
    private mutating func remove(_ place: Int) {
        if tickets[place].state == .waiting { queue.remove(place) }
        if let first = tickets[place].first { upstreams[first.upstream].inFlight -= 1 }
        if let second = tickets[place].second { upstreams[second.upstream].inFlight -= 1 }
        tickets.remove(place)
    }

    /// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
    private mutating func drawn() -> UInt64 {
        chance &+= 0x9E37_79B9_7F4A_7C15
        var mixed = chance
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A new upstream, or news of a known one.
    private mutating func add(_ plan: ShieldPlan.Upstream) {
        let index: Int
        if let known = upstreams.firstIndex(where: { $0.plan.name == plan.name }) {
            index = known
            upstreams[index].change(plan, now: now)
        } else {
            let fresh = UpstreamState(plan, breaker: self.plan.breaker, now: now)
            if let free = upstreams.firstIndex(where: { $0.isRetired && $0.inFlight == 0 }) {
                index = free
                upstreams[index] = fresh
                pauses.forget(upstream: index)
            } else {
                index = upstreams.count
                upstreams.append(fresh)
            }
        }
        choice.set(weight: plan.weight, at: index)
        outliers.set(member: true, at: index)
        candidates = Array(repeating: false, count: upstreams.count)
        loads = Array(repeating: 0, count: upstreams.count)
    }
}
