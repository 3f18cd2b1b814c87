import Core
import Tiers

// Which upstream takes whom, and what its answers teach.

extension ShieldState {
    /// Members of a class that are looked at in one go: a queue of the usual size is walked through.
    private static let mostLookedAt = 256
    /// Of those, how many may wait for the end of a pause that is theirs alone. They keep places from others, and the
    /// upstream has told them to go away; the rest is told so at once.
    private static let mostPaused = 8
    /// Of one tenant at one upstream, after a 429 that does not say for how long.
    private static let tenantPause = Duration64.nanosecondsPerSecond

    private enum Search {
        case found(place: Int, upstream: Int)
        /// Somebody waits who would take any upstream: nobody behind has a better chance.
        case blocked
        case nobody
    }

    /// Starts those for whom there is room, in order; sheds those for whom there will be none.
    mutating func dispatch(_ steps: inout ShieldSteps) {
        while queue.count > 0, case .found(let place, let upstream) = search(&steps) {
            start(place, on: upstream, &steps)
        }
        while let late = queue.expired(now: now) { shed(late, .deadline, &steps) }
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
        var next = queue.first(of: priority)
        var (lookedAt, paused) = (0, 0)
        while lookedAt < ShieldState.mostLookedAt, let place = next {
            if let upstream = choose(for: tickets[place]) { return .found(place: place, upstream: upstream) }
            next = queue.next(after: place)
            lookedAt += 1
            let isPaused = isKeptByPauses(tickets[place])
            if isPaused { paused += 1 }
            let isOneTooMany = isPaused && paused > ShieldState.mostPaused
            if isOneTooMany || !hasUpstream(for: tickets[place], by: queue.deadline(of: place)) {
                shed(place, .noUpstream, &steps)
            } else if !mayBePassedBy(place) {
                return .blocked
            }
        }
        return .nobody
    }

    /// Whether somebody behind it may have a better chance, because it may not be put to every upstream.
    private func mayBePassedBy(_ place: Int) -> Bool {
        !tickets[place].isFresh || pauses.concern(tickets[place].tenant)
    }

    // MARK: Choice

    /// Its calls are let through by its breaker.
    private func isUsable(_ index: Int) -> Bool {
        !upstreams[index].isRetired && upstreams[index].breaker.wouldAdmit(now: now)
    }

    /// Usable, and nothing speaks against it.
    private func isPreferred(_ index: Int) -> Bool {
        isUsable(index) && upstreams[index].isHealthy && !outliers.isEjected(index)
    }

    /// Where nobody is preferred, probes and ejections are in doubt: then the breakers alone decide.
    private var arePreferredAlone: Bool { upstreams.indices.contains { isPreferred($0) } }

    private func isInService(_ index: Int, _ preferredAlone: Bool) -> Bool {
        preferredAlone ? isPreferred(index) : isUsable(index)
    }

    /// Whether somebody may have room for it until then.
    func hasUpstream(for ticket: Ticket, by deadline: Int64) -> Bool {
        let preferredAlone = arePreferredAlone
        return upstreams.indices.contains {
            isInService($0, preferredAlone) && !ticket.hasTried($0) && upstreams[$0].pace.pausedUntil <= deadline
                && pauses.end(ticket.tenant, $0) <= deadline
        }
    }

    /// Whether it would be put to an upstream but for pauses of its tenant.
    private func isKeptByPauses(_ ticket: Ticket) -> Bool {
        guard pauses.concern(ticket.tenant) else { return false }
        let preferredAlone = arePreferredAlone
        return !upstreams.indices.contains {
            isInService($0, preferredAlone) && !ticket.hasTried($0) && pauses.end(ticket.tenant, $0) <= now
        }
    }

    private func isReady(_ index: Int, for ticket: Ticket, _ preferredAlone: Bool) -> Bool {
        upstreams[index].hasRoom && !ticket.hasTried(index) && isInService(index, preferredAlone)
            && upstreams[index].pace.isReady(tokens: ticket.tokens, now: now)
            && pauses.end(ticket.tenant, index) <= now
    }

    /// An upstream that can take it now. A hedge is no need: below the mark it never goes to an overflow upstream.
    mutating func choose(for ticket: Ticket, isHedge: Bool = false) -> Int? {
        let preferredAlone = arePreferredAlone
        var (taken, slots, hasOwn, hasOverflow) = (0, 0, false, false)
        for index in upstreams.indices {
            candidates[index] = isReady(index, for: ticket, preferredAlone)
            if upstreams[index].plan.isOverflow {
                hasOverflow = hasOverflow || candidates[index]
            } else {
                hasOwn = hasOwn || candidates[index]
                guard isInService(index, preferredAlone) else { continue }
                taken += upstreams[index].inFlight
                slots += upstreams[index].limit.current
            }
        }
        guard hasOwn || hasOverflow else { return nil }
        if hasOverflow, hasOwn || isHedge, Double(taken) < plan.overflowAt * Double(slots) {
            guard hasOwn else { return nil }
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
        _ news: RateNews?, status: AnswerStatus, _ attempt: Ticket.Attempt, _ ticket: Ticket,
        _ steps: inout ShieldSteps
    ) {
        let index = attempt.upstream
        // An error took none of them, or what it took is never told.
        if !status.isAnswer { upstreams[index].pace.give(tokens: ticket.tokens) }
        let pause = news?.pause(tokens: ticket.tokens, isRefusal: status.isRefusal)
        if !upstreams[index].plan.sharesCredential, !status.isOutage, ticket.tenant != CacheKey(0, 0, 0, 0) {
            let wait = pause ?? (status.isRefusal ? ShieldState.tenantPause : nil)
            if let wait { pauses.pause(ticket.tenant, index, until: now + wait, now: now) }
            return
        }
        if status.isRefusal {
            upstreams[index].limit.dropped(start: attempt.start, now: now)
            if let rate = upstreams[index].pace.refused(start: attempt.start, now: now) {
                steps.changes.append(.slowed(upstream: index, requestsPerSecond: rate))
            }
        }
        if let pause { upstreams[index].pace.pause(until: now + pause) }
        if let quota = news?.tokens { upstreams[index].pace.heard(remainingTokens: quota.remaining, now: now) }
    }

    /// An attempt brought no answer.
    mutating func blame(_ attempt: Ticket.Attempt, _ steps: inout ShieldSteps) {
        note(upstreams[attempt.upstream].breaker.failed(attempt.permit, now: now), of: attempt.upstream, &steps)
        outliers.record(attempt.upstream, isFailure: true, latency: nil)
    }

    /// An attempt was given up without an answer. That says something about the upstream only if it took far too long:
    /// clients may be less patient than the timeout, and then this is all that is ever heard of an upstream that is
    /// silent.
    mutating func blameOverdue(_ attempt: Ticket.Attempt, _ steps: inout ShieldSteps) {
        guard !attempt.isAnswered, let usual = upstreams[attempt.upstream].latency.value(0.95) else { return }
        let limit = max(Duration64.nanosecondsPerSecond, usual.multipliedReportingOverflow(by: 3).partialValue)
        if now - attempt.start >= limit { blame(attempt, &steps) }
    }

    func note(_ change: Breaker.Change?, of upstream: Int, _ steps: inout ShieldSteps) {
        guard let change else { return }
        steps.changes.append(.breaker(upstream: upstream, from: change.from, to: change.to))
    }

    // MARK: Time

    /// When `tick` must be called at the latest: nothing but time is waited for. nil: nobody waits.
    package var nextWake: Int64? {
        guard queue.count > 0 else { return nil }
        var wake = min(queue.earliestDeadline, nextUse ?? Int64.max)
        for priority in Priority.allCases {
            var next = queue.first(of: priority)
            var lookedAt = 0
            while lookedAt < ShieldState.mostLookedAt, let place = next {
                let tokens = tickets[place].tokens
                for index in upstreams.indices where upstreams[index].hasRoom && isUsable(index) {
                    let ready = upstreams[index].pace.readyAt(tokens: tokens, now: now)
                    if ready > now { wake = min(wake, ready) }
                }
                lookedAt += 1
                next = mayBePassedBy(place) ? queue.next(after: place) : nil
            }
        }
        return max(wake, now + 1)
    }

    /// When an upstream that cannot be used now may be used again, though not by everybody.
    var nextUse: Int64? {
        var earliest = Int64.max
        func consider(_ time: Int64?) {
            if let time, time > now { earliest = min(earliest, time) }
        }
        for index in upstreams.indices where !upstreams[index].isRetired {
            consider(upstreams[index].breaker.looksAt)
            consider(upstreams[index].pace.pausedUntil)
        }
        consider(outliers.nextReturn)
        consider(pauses.nextEnd(now: now))
        return earliest == Int64.max ? nil : earliest
    }
}
