import Core
import Synchronization

/// Asks upstreams now and then whether they are well, and tells the shield.
package final class HealthProbes: Sendable {
    /// An upstream that says whether it is well.
    package struct Subject: Sendable {
        package var target: ShieldedUpstream.Target
        package var path: String
        /// Between two questions, and how long an answer may take; in nanoseconds.
        package var interval: Int64

        package init(_ target: ShieldedUpstream.Target, path: String, interval: Int64) {
            self.target = target
            self.path = path
            self.interval = interval
        }
    }

    private struct Round {
        var timer: any Scheduled
        var call: (any UpstreamCall)?
    }

    private struct State {
        /// Counts the changes of what is watched; rounds of earlier ones end.
        var generation = 0
        /// By the subject's place.
        var rounds: [Int: Round] = [:]
    }

    private let shield: Shield
    private let scheduler: any Scheduler
    private let state = Mutex(State())

    /// - Parameter scheduler: calls back on the thread that the upstreams are to be asked on.
    package init(_ shield: Shield, scheduler: any Scheduler) {
        self.shield = shield
        self.scheduler = scheduler
    }

    /// Watches these, and no others any more.
    package func watch(_ subjects: [Subject]) {
        let (generation, former) = state.withLock { state in
            state.generation += 1
            defer { state.rounds = [:] }
            return (state.generation, state.rounds.values.map { $0 })
        }
        for round in former {
            round.timer.cancel()
            round.call?.cancel()
        }
        for (place, subject) in subjects.enumerated() { plan(subject, place, generation, after: 0, asking: nil) }
    }

    private func plan(
        _ subject: Subject, _ place: Int, _ generation: Int, after delay: Int64, asking probe: Probe?
    ) {
        let timer = scheduler.schedule(after: delay) { [weak self] in
            probe?.expire()
            self?.ask(subject, place, generation)
        }
        let isWanted = state.withLock { state in
            guard state.generation == generation else { return false }
            state.rounds[place] = Round(timer: timer)
            return true
        }
        if !isWanted { timer.cancel() }
    }

    private func ask(_ subject: Subject, _ place: Int, _ generation: Int) {
        let (isWanted, former) = state.withLock { state in
            (state.generation == generation, state.rounds[place]?.call)
        }
        former?.cancel()
        guard isWanted else { return }
        let probe = Probe { [weak self] isHealthy in
            guard let self, state.withLock({ $0.generation == generation }) else { return }
            shield.probed(subject.target.profile.name, isHealthy: isHealthy)
        }
        plan(subject, place, generation, after: subject.interval, asking: probe)
        let request = UpstreamRequest(method: "GET", target: subject.path, headers: [], body: .none, decodes: false)
        let call = subject.target.upstream.start(subject.target.profile.prepare(request), sink: probe)
        state.withLock { if $0.generation == generation { $0.rounds[place]?.call = call } }
    }

    /// One question.
    private final class Probe: UpstreamSink {
        private let isSettled = Atomic(false)
        private let verdict: @Sendable (Bool) -> Void

        init(_ verdict: @escaping @Sendable (Bool) -> Void) { self.verdict = verdict }

        /// It took too long.
        func expire() { settle(false) }

        func responded(_ head: UpstreamHead) { settle((200..<300).contains(head.status)) }

        func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand { .more }

        func finished(_ end: UpstreamEnd) {
            if case .failed(let failure) = end, failure.kind == .shutdown || failure.kind == .cancelled {
                // Ours: it says nothing of the upstream.
                isSettled.store(true, ordering: .relaxed)
            } else {
                settle(false)
            }
        }

        private func settle(_ isHealthy: Bool) {
            if !isSettled.exchange(true, ordering: .relaxed) { verdict(isHealthy) }
        }
    }
}
