import Core
import Synchronization

/// One call behind the shield: for the one who asked it is the call, for each attempt on an upstream it is the sink.
///
/// Until the head of an answer is passed on, an attempt that fails is followed by one on another upstream. From then on the
/// attempt whose head it was is the call, and nothing is ever asked again.
final class ShieldedCall: UpstreamCall {
    private struct Live {
        let number: Int
        let upstream: Int
        let name: String
        let started: Int64
        /// nil while it is being started.
        var call: (any UpstreamCall)?
        /// What came before there was a call.
        var wasResumed = false
        var wasCancelled = false
    }

    private enum Phase: Equatable {
        /// The one who asked has heard nothing yet.
        case open
        /// The head of the attempt of that number was passed on.
        case passed(Int)
        case over
    }

    private struct State {
        var phase = Phase.open
        /// Attempts under way: one, or two while a hedge runs.
        var live: [Live] = []
        var attempts = 0
        /// What the last attempt that failed said.
        var failure: UpstreamFailure?
        /// Whose answer it is.
        var upstream: Int?
        var hedge: (any Scheduled)?

        mutating func take(_ number: Int) -> Live? {
            live.firstIndex { $0.number == number }.map { live.remove(at: $0) }
        }
    }

    /// By which the shield knows it.
    let ticket: UInt64
    private let origin: ShieldedUpstream
    private let request: UpstreamRequest
    private let sink: any UpstreamSink
    /// Of a body that is sent as it arrives.
    private let body: TrackedBody?
    private let state = Mutex(State())

    private var shield: Shield { origin.shield }

    init(_ origin: ShieldedUpstream, _ request: UpstreamRequest, _ sink: any UpstreamSink) {
        ticket = origin.shield.makeTicket()
        self.origin = origin
        self.sink = sink
        var request = request
        var body: TrackedBody?
        if case .stream(let source, let length) = request.body {
            let tracked = TrackedBody(source)
            request.body = .stream(tracked, length: length)
            body = tracked
        }
        self.request = request
        self.body = body
    }

    func arrive() { follow(shield.arrive(self, request.demand)) }

    // MARK: What the shield decides

    /// From any thread: its turn has come.
    func begin(on upstream: Int, hedgeAfter: Int64?) {
        origin.hop { self.start(on: upstream, hedgeAfter: hedgeAfter) }
    }

    /// From any thread: its turn will not come.
    func refuse(_ failure: UpstreamFailure) { origin.hop { self.giveUp(failure) } }

    private func follow(_ decision: Shield.Decision) {
        switch decision {
        case .start(let upstream, let hedgeAfter): start(on: upstream, hedgeAfter: hedgeAfter)
        case .wait: break
        case .shed(let failure): giveUp(failure)
        }
    }

    private func start(on upstream: Int, hedgeAfter: Int64?) {
        guard let target = origin.target(upstream) else {
            shield.close(ticket)
            return giveUp(UpstreamFailure(.connect, "the upstream is not there any more"))
        }
        let number: Int? = state.withLock { state in
            guard state.phase == .open else { return nil }
            state.attempts += 1
            state.live.append(
                Live(
                    number: state.attempts, upstream: upstream, name: target.profile.name,
                    started: shield.clock.monotonic()))
            return state.attempts
        }
        guard let number else { return }
        let call = target.upstream.start(target.profile.prepare(request), sink: Attempt(self, number))
        let (isWanted, isResumed) = state.withLock { state -> (Bool, Bool) in
            guard let index = state.live.firstIndex(where: { $0.number == number }) else { return (false, false) }
            state.live[index].call = call
            return (!state.live[index].wasCancelled, state.live[index].wasResumed)
        }
        // Cancelled or beaten while it was being started; harmless where it has ended.
        guard isWanted else { return call.cancel() }
        if isResumed { call.resume() }
        if let hedgeAfter, number == 1, body == nil { arrangeHedge(after: hedgeAfter) }
    }

    private func arrangeHedge(after delay: Int64) {
        let timer = origin.scheduler.schedule(after: delay) { [weak self] in self?.hedge() }
        let isUseless = state.withLock { state in
            guard state.phase == .open, state.hedge == nil else { return true }
            state.hedge = timer
            return false
        }
        if isUseless { timer.cancel() }
    }

    private func hedge() {
        let isWanted = state.withLock { state in
            state.hedge = nil
            return state.phase == .open && state.live.count == 1
        }
        if isWanted, let decision = shield.hedge(ticket) { follow(decision) }
    }

    private func giveUp(_ failure: UpstreamFailure) {
        let told: UpstreamFailure? = state.withLock { state in
            guard state.phase == .open else { return nil }
            state.phase = .over
            // What an upstream said of itself says more than that there is no other.
            return state.failure ?? failure
        }
        if let told { sink.finished(.failed(told)) }
    }

    // MARK: What attempts say

    fileprivate func responded(_ number: Int, _ head: UpstreamHead) {
        let (attempt, isAlone) = state.withLock { state in
            (state.phase == .open ? state.live.first { $0.number == number } : nil, state.live.count == 1)
        }
        guard let attempt else { return }
        shield.answered(
            ticket, upstream: attempt.upstream, status: head.status,
            news: RateHeaders.read(head.headers, wall: shield.clock.wall()),
            latency: shield.clock.monotonic() - attempt.started)
        guard head.status == 429 || head.status >= 500 else { return pass(on: head, of: number) }
        if !isAlone {
            if drop(number) { shield.ended(ticket, upstream: attempt.upstream, .cancelled) }
            return
        }
        guard canRepeat, shield.hasAnother(ticket) else { return pass(on: head, of: number) }
        let decision = shield.another(ticket, after: attempt.upstream, .cancelled)
        // Nobody else will have it: then this answer is the answer.
        if case .shed = decision { return pass(on: head, of: number) }
        _ = drop(number)
        follow(decision)
    }

    /// Whether the request can be put to another upstream as it was to the first.
    private var canRepeat: Bool { body?.wasRead != true }

    /// Lets go of an attempt that is not the one; false where it ended meanwhile.
    private func drop(_ number: Int) -> Bool {
        guard let attempt = state.withLock({ $0.phase == .open ? $0.take(number) : nil }) else { return false }
        attempt.call?.cancel()
        return true
    }

    private func pass(on head: UpstreamHead, of number: Int) {
        let (winner, losers, timer) = state.withLock { state -> (Live?, [Live], (any Scheduled)?) in
            guard state.phase == .open, let winner = state.live.first(where: { $0.number == number }) else {
                return (nil, [], nil)
            }
            let losers = state.live.filter { $0.number != number }
            state.phase = .passed(number)
            state.live = [winner]
            state.upstream = winner.upstream
            return (winner, losers, state.hedge.take())
        }
        guard let winner else { return }
        timer?.cancel()
        for loser in losers {
            shield.ended(ticket, upstream: loser.upstream, .cancelled)
            loser.call?.cancel()
        }
        var head = head
        head.upstream = winner.name
        sink.responded(head)
    }

    fileprivate func delivered(_ number: Int, _ bytes: UnsafeRawBufferPointer) -> SinkDemand {
        guard state.withLock({ $0.phase == .passed(number) }) else { return .stop }
        return sink.delivered(bytes)
    }

    fileprivate func finished(_ number: Int, _ end: UpstreamEnd) {
        let (attempt, isPassed, isAlone) = state.withLock { state in
            let isPassed = state.phase == .passed(number)
            let attempt = state.phase == .over ? nil : state.take(number)
            if isPassed { state.phase = .over }
            return (attempt, isPassed, state.live.isEmpty)
        }
        guard let attempt else { return }
        if isPassed {
            shield.close(ticket, after: attempt.upstream, end.result)
            return sink.finished(end)
        }
        let failure = end.failure ?? UpstreamFailure(.malformed, "\(attempt.name): the answer has no head")
        let result = UpstreamEnd.failed(failure).result
        state.withLock { $0.failure = failure }
        guard isAlone else { return shield.ended(ticket, upstream: attempt.upstream, result) }
        guard canRepeat, failure.isRepeatable, shield.hasAnother(ticket) else {
            shield.close(ticket, after: attempt.upstream, result)
            return giveUp(failure)
        }
        follow(shield.another(ticket, after: attempt.upstream, result))
    }

    // MARK: UpstreamCall

    func cancel() { origin.hop { self.leave() } }

    private func leave() {
        let (attempts, isOpen, timer) = state.withLock { state -> ([Live], Bool, (any Scheduled)?) in
            let isOpen = state.phase == .open
            let attempts = state.live
            if isOpen {
                (state.phase, state.live) = (.over, [])
            } else if !state.live.isEmpty {
                state.live[0].wasCancelled = true
            }
            return (attempts, isOpen, state.hedge.take())
        }
        timer?.cancel()
        if isOpen { shield.close(ticket) }
        // Once a head was passed on, its attempt tells the end.
        for attempt in attempts { attempt.call?.cancel() }
        if isOpen { sink.finished(.failed(UpstreamFailure(.cancelled, "the call was cancelled"))) }
    }

    func resume() {
        let call = state.withLock { state -> (any UpstreamCall)? in
            guard case .passed = state.phase, !state.live.isEmpty else { return nil }
            if state.live[0].call == nil { state.live[0].wasResumed = true }
            return state.live[0].call
        }
        call?.resume()
    }

    func raise(to priority: Priority) { shield.raise(ticket, to: priority) }

    func settle(tokens: Int) {
        guard let upstream = state.withLock({ $0.upstream }) else { return }
        shield.settle(upstream: upstream, request.demand, actual: tokens)
    }

    /// Listens to one attempt.
    private final class Attempt: UpstreamSink {
        private let call: ShieldedCall
        private let number: Int

        init(_ call: ShieldedCall, _ number: Int) {
            self.call = call
            self.number = number
        }

        func responded(_ head: UpstreamHead) { call.responded(number, head) }
        func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand { call.delivered(number, bytes) }
        func finished(_ end: UpstreamEnd) { call.finished(number, end) }
    }
}

/// A request's body that is sent as it arrives, and knows whether somebody has begun to send it.
private final class TrackedBody: RequestBodySource {
    private let source: any RequestBodySource
    private let isRead = Atomic(false)

    init(_ source: any RequestBodySource) { self.source = source }

    var wasRead: Bool { isRead.load(ordering: .acquiring) }

    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead {
        isRead.store(true, ordering: .releasing)
        return source.read(into: target)
    }

    func whenReady(_ ready: @escaping @Sendable () -> Void) { source.whenReady(ready) }
}

extension UpstreamEnd {
    fileprivate var failure: UpstreamFailure? {
        if case .failed(let failure) = self { failure } else { nil }
    }

    /// What it says of the upstream.
    fileprivate var result: AttemptResult {
        guard let failure else { return .complete }
        return switch failure.kind {
        case .connect, .resolve, .tls: .unreachable
        case .timeout, .reset, .malformed, .tooLarge: .failed
        // Ours or the client's doing.
        case .cancelled, .shutdown, .unsendable, .shed: .cancelled
        }
    }
}

extension UpstreamFailure {
    /// Whether another upstream may do better.
    fileprivate var isRepeatable: Bool {
        switch kind {
        case .connect, .resolve, .tls, .timeout, .reset, .malformed, .tooLarge: true
        case .cancelled, .shutdown, .unsendable, .shed: false
        }
    }
}
