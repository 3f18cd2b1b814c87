import Core
import Dialects

/// What a client is to be told.
package enum Reply: Sendable {
    /// Out of the cache.
    case found(Engine.Found, Outcome)
    /// The upstream's own answer, complete, but not one to keep.
    case whole(UpstreamHead, Bytes, Outcome, NotStored)
    /// The upstream's own answer, as an entry; `notStored` is nil where it was kept.
    case complete(UpstreamHead, Entry, Outcome, notStored: NotStored?)
    /// The upstream's own answer as it arrives.
    case live(UpstreamHead, FlightSeat, Outcome)
    /// There is no answer.
    case failed(UpstreamFailure, Outcome)
    /// The client wanted an answer out of the cache or none, and there is none.
    case notCached
}

extension Engine {
    /// The way of a request that memory could not answer: join the flight for its key, or ask the upstream and take
    /// the others along. Runs on the caller's executor.
    package func answer(_ call: Call, via ports: Ports) async -> Reply {
        if call.admitted.controls.onlyIfCached { return await findOnly(call, ports) }
        if let stale = servableStale(call) {
            refresh(call, ports)
            return .found(stale, .stale(stale.tier))
        }
        var call = call
        // A follower whose flight failed tries once more, together with the other followers; then it shares their fate.
        for attempt in 0..<2 where !call.admitted.controls.noCache {
            guard let boarded = board(call, ports) else { break }
            if boarded.isLeader {
                if let (found, outcome) = await search(for: &call, boarded.flight, boarded.seat, ports) {
                    boarded.flight.end(.found(found.entry, found.match))
                    if case .stale = outcome { refresh(call, ports) }
                    return .found(found, outcome)
                }
                if Task.isCancelled { boarded.seat.leave() }
                if boarded.flight.isOver {
                    boarded.flight.giveUp()
                } else {
                    boarded.flight.depart(ports.upstream, call.upstream)
                }
            } else {
                boarded.flight.raise(to: call.upstream.demand.priority)
            }
            let timeout: Int64? = boarded.isLeader ? nil : cache.followerTimeout.nanoseconds
            let opening = await boarded.seat.opening(timeout: timeout)
            if boarded.isLeader { return leaderReply(opening, boarded.seat, call) }
            switch followerReply(opening, boarded.seat, call, isLast: attempt == 1, ports.metrics) {
            case .reply(let reply): return reply
            case .tryAgain: continue
            case .goAlone: break
            }
            break
        }
        return await askAlone(call, ports)
    }

    private func findOnly(_ call: Call, _ ports: Ports) async -> Reply {
        guard !call.admitted.controls.noCache else { return .notCached }
        if case .fresh(let found) = await lookBelow(call.admitted, ports) {
            remember(found.entry, of: call, isNew: false)
            return .found(found, .hit(found.tier))
        }
        if let found = await aliased(call, ports) { return .found(found, .semantic(found.tier)) }
        if let found = await neighbour(of: call, ports) { return .found(found, .semantic(found.tier)) }
        return .notCached
    }

    /// Passes a request on without looking at the cache.
    package func relay(_ request: UpstreamRequest, reason: BypassReason, via ports: Ports) async -> Reply {
        let flight = makeFlight(nil, ports, request.demand.priority)
        // A new flight always has a seat.
        guard let seat = flight.board(form: .whole, wantsUsage: true, takesAnyForm: true) else { return .notCached }
        flight.depart(ports.upstream, request)
        switch await seat.opening(timeout: nil) {
        case .live(let head): return .live(head, seat, .bypass(reason))
        case .ended(.failed(let failure)): return .failed(failure, .bypass(reason))
        case .ended, .released, .timedOut, .left:
            return .failed(UpstreamFailure(.cancelled, "the client left"), .bypass(reason))
        }
    }

    private func askAlone(_ call: Call, _ ports: Ports) async -> Reply {
        let flight = makeFlight(call, ports, call.upstream.demand.priority)
        let wanted = call.admitted
        guard let seat = flight.board(form: wanted.form, wantsUsage: wanted.facts.wantsUsage, takesAnyForm: true)
        else { return .notCached }
        flight.depart(ports.upstream, call.upstream)
        return leaderReply(await seat.opening(timeout: nil), seat, call)
    }

    func board(_ call: Call, _ ports: Ports) -> (flight: Flight, seat: FlightSeat, isLeader: Bool)? {
        flights.board(call.admitted.key, form: call.admitted.form, wantsUsage: call.admitted.facts.wantsUsage) {
            makeFlight(call, ports, call.upstream.demand.priority)
        }
    }

    /// `call` nil: the answer is only relayed.
    private func makeFlight(_ call: Call?, _ ports: Ports, _ priority: Priority) -> Flight {
        let metrics = ports.metrics
        let key = call?.admitted.key
        let asked = purges.latest
        return Flight(
            credential: call?.admitted.credential, leader: call?.admitted.facts,
            state: FlightState(
                dialect: call?.admitted.dialect, form: call?.admitted.form ?? .whole,
                limits: FlightState.Limits(maxAnswer: cache.maxAnswer.bytes),
                priority: priority),
            abortRule: Flight.AbortRule(
                onAbort: call == nil ? .cancel : call?.isRefresh == true ? .finish : cache.onAbort,
                timeout: cache.abortTimeout.nanoseconds,
                scheduler: ports.scheduler),
            land: { [self] cargo in
                // Only flights with a call collect anything.
                guard let call else { return .relayed }
                return land(cargo, of: call, asked: asked)
            },
            leaveTable: { [flights] flight in if let key { flights.remove(flight, under: key) } },
            onRefusal: { reason in if key != nil { metrics.countNotStored(reason) } })
    }

    private func leaderReply(_ opening: Opening, _ seat: FlightSeat, _ call: Call) -> Reply {
        switch opening {
        case .live(let head): return .live(head, seat, .miss)
        case .ended(.complete(let entry, let head, let notStored)):
            return .complete(head, entry, .miss, notStored: notStored)
        case .ended(.answered(let head, let body, let reason)):
            if isOverload(head.status), let stale = usableStale(call) { return .found(stale, .stale(stale.tier)) }
            return .whole(head, body, .miss, reason)
        case .ended(.failed(let failure)):
            if let stale = usableStale(call) { return .found(stale, .stale(stale.tier)) }
            return .failed(failure, .miss)
        case .ended(.found), .ended(.relayed), .released, .timedOut, .left:
            return .failed(UpstreamFailure(.cancelled, "the client left"), .miss)
        }
    }

    private enum FollowerStep {
        case reply(Reply)
        case tryAgain
        case goAlone
    }

    private func followerReply(
        _ opening: Opening, _ seat: FlightSeat, _ call: Call, isLast: Bool, _ metrics: MetricsBlock
    ) -> FollowerStep {
        switch opening {
        case .live(let head):
            guard suits(head, seat, call) else { return .goAlone }
            metrics.countCoalesced()
            return .reply(.live(forFollower(head), seat, .coalesced))
        case .ended(.found(let entry, let match?)):
            guard suits(match, call), let found = shared(entry, call, match) else { return .goAlone }
            return .reply(.found(found, .semantic(found.tier)))
        case .ended(.complete(let entry, _, _)), .ended(.found(let entry, nil)):
            switch judge(entry, for: call.admitted) {
            case .fresh(let found):
                metrics.countCoalesced()
                return .reply(.found(found, .coalesced))
            case .stale(let found):
                // The leader had it while it is fetched anew; who may not have it can wait for that.
                guard case .ended(.found) = opening else { return .goAlone }
                var call = call
                call.stale = found
                guard let stale = servableStale(call) else { return isLast ? .goAlone : .tryAgain }
                return .reply(.found(stale, .stale(stale.tier)))
            case .nothing: return .goAlone
            }
        case .ended(.answered(let head, let body, .status)):
            // An error answers everybody who asked at the time; asking again for each would only add to the load.
            // But one credential's refusal says nothing about another's.
            guard head.status >= 500 || seat.isAsked(with: call.admitted.credential) else { return .goAlone }
            metrics.countCoalesced()
            if isOverload(head.status), let stale = usableStale(call) {
                return .reply(.found(stale, .stale(stale.tier)))
            }
            return .reply(.whole(forFollower(head), body, .coalesced, .status))
        case .ended(.failed(let failure)):
            let isHopeless = failure.kind == .shutdown || failure.kind == .shed && !seat.isLessUrgent(than: call)
            guard isLast || isHopeless else { return .tryAgain }
            if let stale = usableStale(call) { return .reply(.found(stale, .stale(stale.tier))) }
            return .reply(.failed(failure, .coalesced))
        case .ended(.answered), .ended(.relayed), .released, .timedOut: return .goAlone
        case .left: return .reply(.failed(UpstreamFailure(.cancelled, "the client left"), .coalesced))
        }
    }

    /// Whether an answer that has begun for another is this one's too. What `judge` asks of a complete answer is known
    /// only at its end, so here it is asked of the call that was made.
    private func suits(_ head: UpstreamHead, _ seat: FlightSeat, _ call: Call) -> Bool {
        let wanted = call.admitted
        if wanted.dialect == .responses, wanted.facts.storesUpstream, !seat.isStoredUpstream { return false }
        if wantsUnaskedUsage(wanted), !seat.isAskedForUsage { return false }
        let isAccepted = (200..<300).contains(head.status) || head.status >= 500
        return isAccepted || seat.isAsked(with: wanted.credential)
    }

    /// Another's answer without the lines that were meant for the other: its cookies, limits and organisation. The
    /// lines that are left are those a hit would have, and what the body and the client's next try depend on.
    private func forFollower(_ head: UpstreamHead) -> UpstreamHead {
        let names = ["content-type", "content-encoding", "retry-after"] + keepHeaders
        return UpstreamHead(
            status: head.status, headers: head.headers.filter { field in names.contains { field.isNamed($0) } },
            upstream: head.upstream)
    }

    /// What a neighbour's entry, in which another's flight ended, is to this call.
    private func shared(_ entry: Entry, _ call: Call, _ match: SemanticMatch) -> Found? {
        var wanted = call.admitted
        wanted.key = match.key
        guard case .fresh(var found) = judge(entry, for: wanted) else { return nil }
        found.match = match
        return found
    }

    /// Whether an upstream's status says that it could not do its work, rather than that the request is wrong.
    private func isOverload(_ status: Int) -> Bool { status == 429 || status >= 500 }

    /// The answer held past its lifetime, if this request may have it now. Another request may have found one in a
    /// lower tier meanwhile, and it may have been purged while the upstream was asked.
    private func usableStale(_ call: Call) -> Found? {
        guard let stale = staleInMemory(call.admitted).map({ fresher(call.stale, $0) }) ?? call.stale,
            stale.lifetime <= 0,
            !purges.covers(stale.entry, under: call.admitted.key)
        else { return nil }
        let allowed = call.admitted.controls.staleIfError.map { $0 * 1000 } ?? cache.staleIfError.milliseconds
        return isWithin(allowed, stale) ? stale : nil
    }
}
