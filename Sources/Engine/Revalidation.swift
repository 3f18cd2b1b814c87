import Core
import Synchronization

/// What all workers know of the expired answers that are being fetched anew.
package final class Revalidations: Sendable {
    struct Item: Sendable {
        var call: Engine.Call
        var ports: Engine.Ports
    }

    private let queue: Mutex<RevalidationQueue<Item>>

    init(_ limits: Settings.Limits) { queue = Mutex(RevalidationQueue(RevalidationQueue.Limits(limits))) }

    /// Being fetched, and waiting for their turn.
    package var running: Int { queue.withLock { $0.runningCount } }
    package var waiting: Int { queue.withLock { $0.waitingCount } }

    /// What runs goes on; lower limits are kept to as it ends.
    package func replan(_ limits: Settings.Limits) {
        queue.withLock { $0.limits = RevalidationQueue.Limits(limits) }
    }

    /// Begins no more, so that a stop finds nothing new on its way.
    package func close() { _ = queue.withLock { $0.close() } }

    fileprivate func order(_ item: Item, now: Int64) -> RevalidationQueue<Item>.Order {
        queue.withLock { $0.order(item.call.admitted.key, bytes: item.call.byteCount, now: now, item) }
    }

    fileprivate func ended(_ key: CacheKey, hasFailed: Bool, now: Int64) -> [Item] {
        queue.withLock { $0.ended(key, hasFailed: hasFailed, now: now) }
    }
}

extension RevalidationQueue.Limits {
    fileprivate init(_ limits: Settings.Limits) {
        self.init(
            atOnce: limits.revalidations, waiting: limits.revalidationQueue,
            bytes: limits.revalidationMemory.bytes)
    }
}

extension Engine.Call {
    /// What it keeps of memory while it waits, about.
    fileprivate var byteCount: Int {
        let body = if case .bytes(let bytes) = upstream.body { bytes.count } else { 0 }
        return 1024 + upstream.headers.reduce(body) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }
}

/// `stale-while-revalidate` (RFC 5861, section 3): an expired answer is served at once, and a fresh one is fetched behind.
extension Engine {
    /// The expired answer that a request may have while a fresh one is fetched. Who names an age wants no older answer
    /// (RFC 9111, section 5.2.1.1), and of one that is not to be kept the next client would have nothing.
    func servableStale(_ call: Call) -> Found? {
        let controls = call.admitted.controls
        guard let stale = call.stale, !call.isRefresh, stale.lifetime <= 0, controls.maxAge == nil, !controls.noCache,
            controls.ttl ?? cache.ttl.milliseconds > 0, isWithin(cache.staleWhileRevalidate.milliseconds, stale),
            !purges.covers(stale.entry, under: call.admitted.key)
        else { return nil }
        return stale
    }

    /// Whether an answer is not longer past its expiry than is allowed. Zero means never, even in the clock's tick in
    /// which the answer expires.
    func isWithin(_ allowed: Int64, _ stale: Found) -> Bool { allowed > 0 && -stale.lifetime <= allowed }

    /// Has the answer of a call fetched anew, unless that is on its way. Nobody waits for it.
    func refresh(_ call: Call, _ ports: Ports) {
        var call = call
        call.isRefresh = true
        call.stale = nil
        // Its client has an answer: those who have none go first. What warms goes behind it.
        call.upstream.demand.priority = max(call.upstream.demand.priority, .standard)
        let item = Revalidations.Item(call: call, ports: ports)
        switch revalidations.order(item, now: clock.monotonic()) {
        case .begin: begin(item)
        case .waits, .known: break
        case .full: ports.metrics.countRevalidation(.dropped)
        }
    }

    /// On the worker that was asked: its upstream is to be called there.
    private func begin(_ item: Revalidations.Item) {
        Task.detached(executorPreference: item.ports.executor) { [self] in
            let result = await revalidate(item.call, item.ports)
            item.ports.metrics.countRevalidation(result)
            let key = item.call.admitted.key
            let now = clock.monotonic()
            for next in revalidations.ended(key, hasFailed: result == .failed, now: now) { begin(next) }
        }
    }

    /// A flight like any other, which those may join who cannot have the expired answer. What another sidecar fetched or
    /// fetches is taken over.
    private func revalidate(_ call: Call, _ ports: Ports) async -> RevalidationResult {
        var call = call
        guard let boarded = board(call, ports), boarded.isLeader else { return .unneeded }
        if let (found, _) = await search(for: &call, boarded.flight, boarded.seat, ports) {
            boarded.flight.end(.found(found.entry, nil))
            return .unneeded
        }
        boarded.flight.depart(ports.upstream, call.upstream)
        // It is bounded by the time that an answer may run which nobody waits for.
        boarded.seat.leave()
        let end = await boarded.flight.ended()
        if let status = end.status { trust.learn(status, of: call.admitted.credential, now: clock.monotonic()) }
        return if case .complete(_, _, nil) = end { .refreshed } else { .failed }
    }
}

extension FlightEnd {
    /// What the upstream said, where that is known.
    fileprivate var status: Int? {
        switch self {
        case .complete(_, let head, _), .answered(let head, _, _): head.status
        case .found, .relayed, .failed: nil
        }
    }
}
