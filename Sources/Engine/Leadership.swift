import Core
import Synchronization
import Tiers

/// Who asks the model, among the sidecars of a deployment.
extension Engine {
    /// What a leader finds before it has to ask the model: in memory after all, in a lower tier, or as the answer of
    /// another sidecar that asked first. A stale answer is found where it may be served while a fresh one is fetched.
    func search(
        for call: inout Call, _ flight: Flight, _ seat: FlightSeat, _ ports: Ports
    ) async -> (found: Found, outcome: Outcome)? {
        // Look again: the flight before this one may have landed since memory was asked.
        if let found = lookAgain(call.admitted) { return (found, .hit(found.tier)) }
        if let found = await aliased(call, ports) { return (found, .semantic(found.tier)) }
        for places in [Places.shared, .objects] {
            switch await lookBelow(call.admitted, ports, in: places) {
            case .fresh(let found):
                remember(found.entry, of: call, isNew: false)
                return (found, .hit(found.tier))
            case .stale(let found):
                call.stale = fresher(call.stale, found)
                if let stale = servableStale(call) { return (stale, .stale(stale.tier)) }
            case .nothing: break
            }
            // A neighbour in memory is nearer than an object store.
            if places == .shared, let found = await neighbour(of: call, ports) {
                return (found, .semantic(found.tier))
            }
        }
        guard let leases, cache.enabled, purges.isSettled else { return nil }
        return await wait(for: call.admitted, leases, flight, seat, ports).map { ($0, .coalesced) }
    }

    /// Takes the lease of a key, or waits for the answer of the sidecar that has it. nil: this one is to ask.
    private func wait(
        for wanted: Admitted, _ leases: any CallLeases, _ flight: Flight, _ seat: FlightSeat, _ ports: Ports
    ) async -> Found? {
        let limit = clock.monotonic() + leaseTimeout
        var pause = Engine.firstLook
        var state = await leases.take(wanted.key)
        while true {
            switch state {
            case .taken:
                // The one before may have kept its answer and gone between the look and the lease.
                if let found = await sharedAnswer(wanted) {
                    await leases.release(wanted.key, isKept: true)
                    return found
                }
                hold(wanted.key, leases, flight, ports.scheduler)
                return nil
            case .fruitless, .unknown: return nil
            case .free: state = await leases.take(wanted.key)
            case .elsewhere:
                // Others may wait on; with nobody left, the abort rule says whether this does.
                if Task.isCancelled { seat.leave() }
                guard clock.monotonic() < limit, !flight.isOver else { return nil }
                await ports.scheduler.sleep(pause)
                pause = min(pause * 3 / 2, Engine.longestLook)
                // First the lease: the entry is there before it is given back.
                state = await leases.state(of: wanted.key)
                if let found = await sharedAnswer(wanted) {
                    ports.metrics.countCoalesced()
                    if state == .taken { await leases.release(wanted.key, isKept: true) }
                    return found
                }
            }
        }
    }

    /// Between two looks for another sidecar's answer, in nanoseconds.
    private static let firstLook = 4 * Duration64.nanosecondsPerMillisecond
    private static let longestLook = 50 * Duration64.nanosecondsPerMillisecond

    /// A fresh answer in the tier that the sidecars share. Not counted: the look-up of this request was.
    private func sharedAnswer(_ wanted: Admitted) async -> Found? {
        guard let shared = below.first, let held = await shared.find(wanted.key),
            !purges.covers(held, under: wanted.key),
            case .fresh(let found) = judge(held, for: wanted, in: shared.name)
        else { return nil }
        _ = hold(found.entry, under: wanted.key, now: clock.wall())
        return found
    }

    /// Keeps a lease until the flight is over and its answer, if one was kept, can be found by the others.
    private func hold(_ key: CacheKey, _ leases: any CallLeases, _ flight: Flight, _ scheduler: any Scheduler) {
        let renewal = LeaseRenewal(key, leases, scheduler, executor)
        renewal.schedule()
        flight.whenEnded { [fill, below, executor] end in
            let isKept = if case .complete(_, _, nil) = end { true } else { false }
            let giveBack: @Sendable () -> Void = {
                renewal.stop()
                Task.detached(executorPreference: executor) {
                    // The tier may have refused it, or failed for too long.
                    let isFound = if isKept, let shared = below.first { await shared.find(key) != nil } else { false }
                    await leases.release(key, isKept: isFound)
                }
            }
            guard isKept, let fill, let shared = below.first else { return giveBack() }
            fill.whenWritten(key, to: shared.name, then: giveBack)
        }
    }
}

/// Keeps a lease alive.
private final class LeaseRenewal: Sendable {
    private struct State {
        var isStopped = false
        var timer: (any Scheduled)?
    }

    private let key: CacheKey
    private let leases: any CallLeases
    private let scheduler: any Scheduler
    private let executor: (any TaskExecutor)?
    private let state = Mutex(State())

    init(_ key: CacheKey, _ leases: any CallLeases, _ scheduler: any Scheduler, _ executor: (any TaskExecutor)?) {
        self.key = key
        self.leases = leases
        self.scheduler = scheduler
        self.executor = executor
    }

    func schedule() {
        let timer = scheduler.schedule(after: leases.renewal) { self.renew() }
        let isStopped = state.withLock { state in
            if !state.isStopped { state.timer = timer }
            return state.isStopped
        }
        if isStopped { timer.cancel() }
    }

    private func renew() {
        guard !state.withLock({ $0.isStopped }) else { return }
        Task.detached(executorPreference: executor) { [self] in
            await leases.renew(key)
            schedule()
        }
    }

    func stop() {
        let timer = state.withLock { state in
            state.isStopped = true
            return state.timer.take()
        }
        timer?.cancel()
    }
}

extension Scheduler {
    /// Waits for so many nanoseconds, whether or not the task is cancelled meanwhile.
    func sleep(_ delay: Int64) async {
        await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
            _ = schedule(after: delay) { waiter.resume() }
        }
    }
}
