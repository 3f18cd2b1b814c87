import Core
import Tiers

// Which upstream takes whom, and what its answers teach.

extension ShieldState {
    /// Members of a class that are passed by because the upstreams they may still be put to have no room.
    private static let mostPassedBy = 8

    private enum Search {
        case found(place: Int, upstream: Int)
        /// Somebody waits who would take any upstream: nobody behind has a better chance.
        case blocked
        case nobody
    }

    /// Starts those for whom there is room, in order; sheds those for whom there will be none.
    mutating func dispatch(_ steps: inout ShieldSteps) {
        while queue.count > 0 {
            guard case .found(let place, let upstream) = search(&steps) else { break }
            start(place, on: upstream, &steps)
        }
        guard queue.count > 0, !upstreams.indices.contains(where: { isInService($0) }) else { return }
        for priority in Priority.allCases {
            while let place = queue.first(of: priority, now: now) { shed(place, .noUpstream, &steps) }
        }
    }

    private mutating func search(_ steps: inout ShieldSteps) -> Search {
        let turn = queue.turn(now: now)
        if let turn {
            let found = search(turn, &steps)
            if case .nobody = found {} else { return found }
        }
        for priority in Priority.allCases where priority != turn {
            let found = search(priority, &steps)
            if case .nobody = found {} else { return found }
        }
        return .nobody
    }

    private mutating func search(_ priority: Priority, _ steps: inout ShieldSteps) -> Search {
        var next = queue.first(of: priority, now: now)
        for _ in 0..<ShieldState.mostPassedBy {
            guard let place = next else { return .nobody }
            if let upstream = choose(for: tickets[place]) { return .found(place: place, upstream: upstream) }
            if tickets[place].isFresh { return .blocked }
            next = queue.next(after: place, now: now)
            if !hasUpstream(for: tickets[place]) { shed(place, .noUpstream, &steps) }
        }
        return .nobody
    }

    // MARK: Choice

    /// Not retired, not broken, not left alone: it has room now, or will have.
    func isInService(_ index: Int) -> Bool {
        let upstream = upstreams[index]
        return !upstream.isRetired && upstream.breaker.wouldAdmit(now: now) && !outliers.isEjected(index)
            && (upstream.isHealthy || nobodyIsHealthy)
    }

    /// When no probe succeeds the probes are in doubt: then the breakers alone decide.
    private var nobodyIsHealthy: Bool { !upstreams.contains { !$0.isRetired && $0.isHealthy } }

    func hasUpstream(for ticket: Ticket) -> Bool {
        upstreams.indices.contains { isInService($0) && !ticket.hasTried($0) }
    }

    private func isReady(_ index: Int, for ticket: Ticket) -> Bool {
        upstreams[index].hasRoom && !ticket.hasTried(index) && isInService(index)
            && upstreams[index].pace.isReady(tokens: ticket.tokens, now: now)
    }

    func isAnyReady(for ticket: Ticket) -> Bool { upstreams.indices.contains { isReady($0, for: ticket) } }

    /// An upstream that can take it now.
    mutating func choose(for ticket: Ticket) -> Int? {
        var (taken, slots, hasOwn, hasOverflow) = (0, 0, false, false)
        for index in upstreams.indices {
            candidates[index] = isReady(index, for: ticket)
            if upstreams[index].plan.isOverflow {
                hasOverflow = hasOverflow || candidates[index]
            } else {
                hasOwn = hasOwn || candidates[index]
                guard isInService(index) else { continue }
                taken += upstreams[index].inFlight
                slots += upstreams[index].limit.current
            }
        }
        guard hasOwn || hasOverflow else { return nil }
        if hasOverflow, hasOwn, Double(taken) < plan.overflowAt * Double(slots) {
            for index in upstreams.indices where upstreams[index].plan.isOverflow { candidates[index] = false }
        }
        guard plan.choice == .leastLoaded else { return choice.choose(among: candidates) }
        for index in upstreams.indices {
            loads[index] = Double(upstreams[index].inFlight + 1) / Double(upstreams[index].plan.weight)
        }
        return choice.choose(among: candidates, loads: loads)
    }

    // MARK: Learning

    mutating func learn(
        from status: AnswerStatus, of attempt: Ticket.Attempt, latency: Int64, _ steps: inout ShieldSteps
    ) {
        let index = attempt.upstream
        let change =
            status.isOutage
            ? upstreams[index].breaker.failed(attempt.permit, now: now)
            : upstreams[index].breaker.succeeded(attempt.permit)
        note(change, of: index, &steps)
        outliers.record(index, isFailure: status.isFailure, latency: status.isAnswer ? latency : nil)
        if status.isAnswer {
            upstreams[index].limit.answered(latency: latency, inFlight: upstreams[index].inFlight)
            upstreams[index].latency.record(latency)
        }
    }

    /// A refusal slows the upstream's pace; what it says of its limits is kept to.
    mutating func heed(
        _ news: RateNews?, status: AnswerStatus, _ attempt: Ticket.Attempt, tokens: Int, _ steps: inout ShieldSteps
    ) {
        let index = attempt.upstream
        if status.isRefusal {
            upstreams[index].limit.dropped(start: attempt.start, now: now)
            if let rate = upstreams[index].pace.refused(start: attempt.start, now: now) {
                steps.changes.append(.slowed(upstream: index, requestsPerSecond: rate))
            }
            if let pause = news?.retryAfter { upstreams[index].pace.pause(until: now + pause) }
        }
        if let quota = news?.requests, quota.remaining <= 0, let wait = quota.wait(for: 1) {
            upstreams[index].pace.pause(until: now + wait)
        }
        if let quota = news?.tokens {
            upstreams[index].pace.heard(remainingTokens: quota.remaining, now: now)
            if quota.remaining <= 0, let wait = quota.wait(for: tokens) {
                upstreams[index].pace.pause(until: now + wait)
            }
        }
    }

    /// An attempt brought no answer.
    mutating func blame(_ attempt: Ticket.Attempt, _ steps: inout ShieldSteps) {
        note(upstreams[attempt.upstream].breaker.failed(attempt.permit, now: now), of: attempt.upstream, &steps)
        outliers.record(attempt.upstream, isFailure: true, latency: nil)
    }

    func note(_ change: Breaker.Change?, of upstream: Int, _ steps: inout ShieldSteps) {
        guard let change else { return }
        steps.changes.append(.breaker(upstream: upstream, from: change.from, to: change.to))
    }

    // MARK: Time

    /// When `tick` must be called at the latest: nothing but time is waited for. nil: nobody waits.
    package var nextWake: Int64? {
        guard queue.count > 0 else { return nil }
        var wake = queue.earliestDeadline
        if let use = nextUse { wake = min(wake, use) }
        for priority in Priority.allCases {
            guard let place = queue.first(of: priority, now: now) else { continue }
            let tokens = tickets[place].tokens
            for index in upstreams.indices where upstreams[index].hasRoom && isInService(index) {
                let ready = upstreams[index].pace.readyAt(tokens: tokens, now: now)
                if ready > now { wake = min(wake, ready) }
            }
        }
        return max(wake, now + 1)
    }

    /// When an upstream that cannot be used now may be used again.
    var nextUse: Int64? {
        var earliest: Int64?
        for index in upstreams.indices where !upstreams[index].isRetired {
            for time in [upstreams[index].breaker.looksAt, upstreams[index].pace.pausedUntil] {
                if let time, time > now { earliest = min(earliest ?? time, time) }
            }
        }
        if let back = outliers.nextReturn, back > now { earliest = min(earliest ?? back, back) }
        return earliest
    }
}

extension RateNews.Quota {
    /// How long it takes until so many are there again, at the pace that limit and reset tell; nil where they do not.
    fileprivate func wait(for count: Int) -> Int64? {
        guard let reset else { return nil }
        guard let limit, limit > 0 else { return reset }
        return Int64(Double(reset) * min(1, Double(max(1, count)) / Double(limit)))
    }
}
