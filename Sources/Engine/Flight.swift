import Core
import Dialects
import Synchronization

/// What somebody who boarded a flight may begin with.
package enum Opening: Sendable {
    /// The answer comes in the form that was asked for: read it as it arrives.
    case live(UpstreamHead)
    case ended(FlightEnd)
    /// The answer cannot be had from this flight: ask for it without company.
    case released(NotStored)
    /// The time a follower may wait is over.
    case timedOut
    /// The seat was given up.
    case left
}

/// How a flight ended.
package enum FlightEnd: Sendable {
    /// The answer is complete and good to serve; it was kept, or found no room.
    case complete(Entry, UpstreamHead, NotStored?)
    /// It had been kept meanwhile; nothing was asked.
    case found(Entry, SemanticMatch?)
    /// The upstream's answer is complete, but not one to keep.
    case answered(UpstreamHead, Bytes, NotStored)
    /// What came went to those who were listening; nothing is left for others.
    case relayed
    case failed(UpstreamFailure)
}

extension FlightEnd {
    /// Why an answer that came was not kept.
    var refusal: NotStored? {
        switch self {
        case .complete(_, _, let reason): reason
        case .answered(_, _, let reason): reason
        case .found, .relayed, .failed: nil
        }
    }
}

/// A complete answer on its way into the cache.
package struct FlightCargo: Sendable {
    package var head: UpstreamHead
    package var form: Form
    package var content: Bytes
    package var usage: Range<Int>
    /// What the stream was found to be; a whole answer is judged when it lands.
    package var verdict: Verdict?
    /// Why it may not be kept, where that is known already.
    package var refusal: NotStored?
}

/// Why there is no cargo.
enum FlightFault: Error {
    case failed(UpstreamFailure)
    case refused(NotStored)
}

/// One call to the upstream, shared by all who want its answer. It belongs to none of them: the one who started it
/// may leave and the others read on.
package final class Flight: UpstreamSink {
    /// What becomes of the flight when nobody waits any more.
    package struct AbortRule: Sendable {
        var onAbort: Settings.OnAbort
        /// How long it may go on alone, in nanoseconds.
        var timeout: Int64
        var scheduler: any Scheduler
    }

    /// With whose credential the upstream is asked, where the cache is shared between credentials.
    fileprivate let credential: CacheKey?
    /// What the one who started it asked for, where the answer may be shared.
    fileprivate let leader: RequestFacts?
    private let state: Mutex<FlightState>
    private let abortRule: AbortRule
    /// Judges and keeps a complete answer.
    private let land: @Sendable (FlightCargo) -> FlightEnd
    /// Takes the flight out of the table, before anybody hears of its end. More than once is harmless.
    private let leaveTable: @Sendable (Flight) -> Void
    private let onRefusal: @Sendable (NotStored) -> Void

    init(
        credential: CacheKey?, leader: RequestFacts?, state: consuming FlightState, abortRule: AbortRule,
        land: @escaping @Sendable (FlightCargo) -> FlightEnd, leaveTable: @escaping @Sendable (Flight) -> Void,
        onRefusal: @escaping @Sendable (NotStored) -> Void
    ) {
        self.credential = credential
        self.leader = leader
        self.state = Mutex(state)
        self.abortRule = abortRule
        self.land = land
        self.leaveTable = leaveTable
        self.onRefusal = onRefusal
    }

    /// A seat, nil when the flight cannot take anybody any more. The leader takes the answer in any form the upstream
    /// chooses, a follower in the one it asked for.
    func board(form: Form, wantsUsage: Bool, takesAnyForm: Bool) -> FlightSeat? {
        guard
            let (id, effects) = state.withLock({ $0.takeSeat(form: takesAnyForm ? nil : form, wantsUsage: wantsUsage) })
        else { return nil }
        perform(effects)
        return FlightSeat(flight: self, id: id)
    }

    /// Asks the upstream. On the thread that the upstream wants to be called on.
    func depart(_ upstream: any Upstream, _ request: UpstreamRequest) {
        var request = request
        request.demand.priority = priority
        let call = upstream.start(request, sink: self)
        perform(state.withLock { $0.departed(call) })
        // Somebody may have boarded meanwhile, who found no call to tell.
        let urgency = priority
        if urgency < request.demand.priority { call.raise(to: urgency) }
    }

    fileprivate var priority: Priority { state.withLock { $0.priority } }

    /// The call is as urgent as the most urgent one who waits for it.
    func raise(to priority: Priority) { state.withLock { $0.raise(to: priority) }?.raise(to: priority) }

    /// Whether everybody has left it for good, or it has ended.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Calls `watcher` when it has ended, once.
    func whenEnded(_ watcher: @escaping @Sendable (FlightEnd) -> Void) { perform(state.withLock { $0.watch(watcher) }) }

    /// Waits for its end without a seat.
    func ended() async -> FlightEnd {
        await withCheckedContinuation { waiter in whenEnded { waiter.resume(returning: $0) } }
    }

    /// Ends a flight that everybody left before it departed.
    func giveUp() {
        onRefusal(.abandoned)
        end(.failed(UpstreamFailure(.cancelled, "the client left")))
    }

    /// Ends a flight that never had to depart.
    func end(_ end: FlightEnd) {
        leaveTable(self)
        perform(state.withLock { $0.ended(end) })
    }

    // MARK: UpstreamSink

    package func responded(_ head: UpstreamHead) { perform(state.withLock { $0.responded(head) }) }

    package func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand {
        let (demand, effects) = state.withLock { $0.delivered(bytes) }
        perform(effects)
        return demand
    }

    package func finished(_ end: UpstreamEnd) {
        let landed: FlightEnd
        switch state.withLock({ $0.finishCollecting(end) }) {
        case .success(let cargo):
            landed = land(cargo)
            settle(landed)
            if let reason = landed.refusal { onRefusal(reason) }
        case .failure(.failed(let failure)):
            landed = .failed(failure)
            onRefusal(.failed)
        case .failure(.refused(let reason)):
            landed = .relayed
            onRefusal(reason)
        }
        self.end(landed)
    }

    /// Whoever rationed the call learns what it took.
    private func settle(_ landed: FlightEnd) {
        guard case .complete(let entry, _, _) = landed, let tokens = entry.facts.totalTokens else { return }
        state.withLock { $0.call }?.settle(tokens: tokens)
    }

    // MARK: Seats

    fileprivate func wait(
        seat: Int, timeout: Int64?, isolation: isolated (any Actor)? = #isolation
    ) async -> Opening {
        let timer = timeout.map { delay in
            abortRule.scheduler.schedule(after: delay) { self.perform(self.state.withLock { $0.expire(seat: seat) }) }
        }
        defer { timer?.cancel() }
        return await withTaskCancellationHandler(
            operation: {
                // Captured, or the closure would run on the global pool: two hops for every miss.
                _ = isolation
                return await withCheckedContinuation { waiter in
                    perform(state.withLock { $0.await(seat: seat, waiter) })
                }
            }, onCancel: { leave(seat: seat) }, isolation: isolation)
    }

    fileprivate var entry: Entry? {
        switch state.withLock({ $0.end }) {
        case .complete(let entry, _, _), .found(let entry, _): entry
        case .answered, .relayed, .failed, nil: nil
        }
    }

    fileprivate func listen(seat: Int, _ waker: @escaping @Sendable () -> Void) {
        perform(state.withLock { $0.listen(seat: seat, waker) })
    }

    fileprivate func read(seat: Int, into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        let (result, effects) = state.withLock { $0.read(seat: seat, into: target) }
        perform(effects)
        return result
    }

    fileprivate func leave(seat: Int) {
        let (effects, boardings) = state.withLock { ($0.leaveSeat(seat), $0.boardings) }
        perform(effects)
        guard effects.isAlone else { return }
        switch abortRule.onAbort {
        case .cancel: abandon(since: boardings)
        case .finish:
            // Weak: a flight that lands in time must not hold its answer until the deadline.
            let timer = abortRule.scheduler.schedule(after: abortRule.timeout) { [weak self] in
                self?.abandon(since: boardings)
            }
            perform(state.withLock { $0.hold(timer, since: boardings) })
        }
    }

    private func waitForLaggards() {
        let patience = state.withLock { $0.limits.patience }
        let timer = abortRule.scheduler.schedule(after: patience) { [weak self] in
            guard let self else { return }
            perform(state.withLock { $0.dropLaggards() })
        }
        perform(state.withLock { $0.hold(patience: timer) })
    }

    private func abandon(since boardings: Int) { perform(state.withLock { $0.abandon(since: boardings) }) }

    private func perform(_ effects: FlightState.Effects) {
        if effects.leavesTable { leaveTable(self) }
        for (waiter, opening) in effects.openings { waiter.resume(returning: opening) }
        for waker in effects.wakers { waker() }
        effects.stops?.cancel()
        effects.stopsPatience?.cancel()
        if effects.isHeldUp { waitForLaggards() }
        effects.cancels?.cancel()
        effects.resumes?.resume()
        if let end = effects.end { for watcher in effects.watchers { watcher(end) } }
    }
}

/// A place on a flight; given up with the last reference.
package final class FlightSeat: Sendable {
    private let flight: Flight
    private let id: Int

    fileprivate init(flight: Flight, id: Int) {
        self.flight = flight
        self.id = id
    }

    deinit { flight.leave(seat: id) }

    /// Whether an answer that may depend on the credential it was asked with is this one's too.
    func isAsked(with credential: CacheKey?) -> Bool { flight.credential == credential }

    /// Whether the one who started the call asked for a report of usage.
    var isAskedForUsage: Bool { flight.leader?.wantsUsage ?? false }

    /// Whether the provider was asked to keep the answer under its id.
    var isStoredUpstream: Bool { flight.leader?.storesUpstream ?? false }

    /// Whether the upstream was asked with less urgency than a call has.
    func isLessUrgent(than call: Engine.Call) -> Bool { call.upstream.demand.priority < flight.priority }

    /// Gives the seat up before its last reference goes. More than once is harmless.
    func leave() { flight.leave(seat: id) }

    /// Waits until the answer can be begun; at most `timeout` nanoseconds where given. Gives the seat up when the
    /// task is cancelled.
    func opening(timeout: Int64?) async -> Opening { await flight.wait(seat: id, timeout: timeout) }

    /// Copies what has come and was not read yet.
    package func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead { flight.read(seat: id, into: target) }

    /// The answer as it was kept, once the flight is over.
    package var entry: Entry? { flight.entry }

    /// `waker` is called, on any thread, when there is something to read again after `.later`; at once, if there is
    /// something now. It is let go of when the answer ends.
    package func listen(_ waker: @escaping @Sendable () -> Void) { flight.listen(seat: id, waker) }
}
