import Core
import Synchronization

/// The shield that all workers share: `ShieldState` behind a lock, the time, and the calls that its steps are about.
///
/// A call speaks of itself on its worker's thread. What a step means for itself it is told at once; what it means for
/// others reaches them through their own threads.
package final class Shield: Sendable {
    /// What the shield has decided about the call that asks.
    enum Decision {
        case start(upstream: Int, hedgeAfter: Int64?)
        /// Its turn will come.
        case wait
        case shed(UpstreamFailure)
    }

    private struct Guarded {
        var state: ShieldState
        /// Calls that are neither over nor shed.
        var calls: [UInt64: ShieldedCall] = [:]
        /// For when `tick` is arranged.
        var wake: Int64?
        var timer: (any Scheduled)?
    }

    /// What is to be done outside the lock.
    private struct Outcome {
        var own: Decision?
        var starts: [(call: ShieldedCall, upstream: Int, hedgeAfter: Int64?)] = []
        var sheds: [(call: ShieldedCall, failure: UpstreamFailure)] = []
        var changes: [(name: String, change: ShieldChange)] = []
        var wake: Int64?
    }

    let clock: any Clock
    private let scheduler: any Scheduler
    private let log: any Log
    private let guarded: Mutex<Guarded>
    private let tickets = Atomic<UInt64>(0)
    private let plans = Atomic(0)

    /// - Parameters:
    ///   - scheduler: for the time at which somebody who waits is to be looked at.
    ///   - seed: of what chance there is in it.
    package init(_ plan: ShieldPlan, clock: any Clock, scheduler: any Scheduler, log: any Log, seed: UInt64) {
        self.clock = clock
        self.scheduler = scheduler
        self.log = log
        guarded = Mutex(Guarded(state: ShieldState(plan, now: clock.monotonic(), random: seed)))
    }

    /// The upstreams; an upstream's index is for good, also where a reload has taken it out.
    package var names: [String] { guarded.withLock { $0.state.names } }

    package var report: ShieldReport { guarded.withLock { $0.state.report() } }

    /// The settings were read again.
    package func replan(_ plan: ShieldPlan) {
        run(nil) { state, _, now in
            plans.wrappingAdd(1, ordering: .releasing)
            return state.replan(plan, now: now)
        }
    }

    /// Changes whenever an index may have come to mean another upstream.
    var generation: Int { plans.load(ordering: .acquiring) }

    /// What a health check found.
    package func probed(_ upstream: String, isHealthy: Bool) {
        run(nil) { state, _, now in
            guard let index = state.names.firstIndex(of: upstream) else { return ShieldSteps() }
            return state.probed(upstream: index, isHealthy: isHealthy, now: now)
        }
    }

    // MARK: What calls say

    /// A number by which a call is known.
    func makeTicket() -> UInt64 { tickets.wrappingAdd(1, ordering: .relaxed).newValue }

    /// A new call.
    func arrive(_ call: ShieldedCall, _ demand: UpstreamDemand) -> Decision {
        let decision = run(call.ticket, adding: call) { state, ticket, now in
            state.arrive(demand, ticket: ticket, now: now)
        }
        return decision ?? .wait
    }

    /// The head of an answer came.
    func answered(_ ticket: UInt64, upstream: Int, status: Int, news: RateNews?, latency: Int64) {
        run(ticket) { state, ticket, now in
            state.answered(
                ticket: ticket, upstream: upstream, status: status, news: news, latency: latency, now: now)
        }
    }

    /// An attempt is over, but not the call.
    func ended(_ ticket: UInt64, upstream: Int, _ result: AttemptResult) {
        run(ticket) { state, ticket, now in
            state.ended(ticket: ticket, upstream: upstream, result: result, now: now)
        }
    }

    /// Whether there is an upstream that a call was not put to yet.
    func hasAnother(_ ticket: UInt64) -> Bool { guarded.withLock { $0.state.hasAnother(ticket: ticket) } }

    /// Its only attempt is over, and it wants another one.
    func another(_ ticket: UInt64, after upstream: Int, _ result: AttemptResult) -> Decision {
        let decision = run(ticket) { state, ticket, now in
            let ended = state.ended(ticket: ticket, upstream: upstream, result: result, now: now)
            return ended.followed(by: state.another(ticket: ticket, now: now))
        }
        return decision ?? .wait
    }

    /// A second attempt is wanted beside the first; nil where there is none to be had.
    func hedge(_ ticket: UInt64) -> Decision? {
        run(ticket) { state, ticket, now in state.hedge(ticket: ticket, now: now) }
    }

    /// The call is over, after an attempt on `upstream` where one was under way.
    func close(_ ticket: UInt64, after upstream: Int? = nil, _ result: AttemptResult = .cancelled) {
        _ = guarded.withLock { $0.calls.removeValue(forKey: ticket) }
        run(ticket) { state, ticket, now in
            var steps = ShieldSteps()
            if let upstream { steps = state.ended(ticket: ticket, upstream: upstream, result: result, now: now) }
            return steps.followed(by: state.abandon(ticket: ticket, now: now))
        }
    }

    /// From any thread.
    func raise(_ ticket: UInt64, to priority: Priority) {
        run(nil) { state, _, now in state.raise(ticket: ticket, to: priority, now: now) }
    }

    func settle(upstream: Int, _ demand: UpstreamDemand, actual: Int) {
        guarded.withLock {
            $0.state.settle(upstream: upstream, tenant: demand.tenant, estimated: demand.tokens, actual: actual)
        }
    }

    // MARK: Steps

    /// Does something to the state and what follows from it; what was decided about the call that asks.
    @discardableResult
    private func run(
        _ ticket: UInt64?, adding call: ShieldedCall? = nil,
        _ event: (inout ShieldState, UInt64, Int64) -> ShieldSteps
    ) -> Decision? {
        let outcome = guarded.withLock { guarded in
            if let call { guarded.calls[call.ticket] = call }
            let steps = event(&guarded.state, ticket ?? 0, clock.monotonic())
            return Shield.resolve(steps, ticket, &guarded)
        }
        for (call, upstream, hedgeAfter) in outcome.starts { call.begin(on: upstream, hedgeAfter: hedgeAfter) }
        for (call, failure) in outcome.sheds { call.refuse(failure) }
        for (name, change) in outcome.changes { report(change, of: name) }
        if let wake = outcome.wake { arrange(wake) }
        return outcome.own
    }

    private static func resolve(_ steps: ShieldSteps, _ ticket: UInt64?, _ guarded: inout Guarded) -> Outcome {
        var outcome = Outcome()
        for start in steps.starts {
            let hedgeAfter = guarded.state.hedgeDelay(upstream: start.upstream)
            if start.ticket == ticket {
                outcome.own = .start(upstream: start.upstream, hedgeAfter: hedgeAfter)
            } else if let call = guarded.calls[start.ticket] {
                outcome.starts.append((call, start.upstream, hedgeAfter))
            }
        }
        for shed in steps.sheds {
            let call = guarded.calls.removeValue(forKey: shed.ticket)
            let failure = UpstreamFailure(shed: shed.reason, retryAfter: shed.retryAfter)
            if shed.ticket == ticket {
                outcome.own = .shed(failure)
            } else if let call {
                outcome.sheds.append((call, failure))
            }
        }
        if !steps.changes.isEmpty {
            let names = guarded.state.names
            outcome.changes = steps.changes.map { (names[$0.upstream], $0) }
        }
        if let wake = guarded.state.nextWake, wake < guarded.wake ?? .max {
            guarded.wake = wake
            outcome.wake = wake
        }
        return outcome
    }

    private func arrange(_ wake: Int64) {
        let timer = scheduler.schedule(after: max(0, wake - clock.monotonic())) { [weak self] in self?.wakeUp(wake) }
        let useless: (any Scheduled)? = guarded.withLock { guarded in
            // Somebody may have arranged an earlier one meanwhile.
            guard guarded.wake == wake else { return timer }
            let former = guarded.timer
            guarded.timer = timer
            return former
        }
        useless?.cancel()
    }

    private func wakeUp(_ wake: Int64) {
        guarded.withLock { guarded in
            guard guarded.wake == wake else { return }
            guarded.wake = nil
            guarded.timer = nil
        }
        run(nil) { state, _, now in state.tick(now: now) }
    }

    private func report(_ change: ShieldChange, of name: String) {
        let target = LogField("target", name)
        switch change {
        case .breaker(_, let from, let to):
            log.write(
                to == .open ? .warning : .info, "breaker", target, LogField("from", from.word), LogField("to", to.word))
        case .ejected(_, let pause, let why):
            log.write(
                .warning, "upstream-ejected", target, LogField("pauseMs", pause / Duration64.nanosecondsPerMillisecond),
                LogField("reason", why.rawValue))
        case .returned: log.write(.info, "upstream-returned", target)
        case .health(_, let isHealthy):
            log.write(isHealthy ? .info : .warning, isHealthy ? "upstream-well" : "upstream-unwell", target)
        case .slowed(_, let rate):
            log.write(.info, "upstream-slowed", target, LogField("requestsPerSecond", String(rate)))
        }
    }
}

extension ShieldSteps {
    fileprivate consuming func followed(by other: ShieldSteps) -> ShieldSteps {
        starts += other.starts
        sheds += other.sheds
        changes += other.changes
        return self
    }
}

extension ShieldChange {
    fileprivate var upstream: Int {
        switch self {
        case .breaker(let upstream, _, _), .ejected(let upstream, _, _), .returned(let upstream),
            .health(let upstream, _), .slowed(let upstream, _):
            upstream
        }
    }
}
