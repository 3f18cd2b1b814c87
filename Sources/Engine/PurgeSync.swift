import Core
import Synchronization

/// Keeps the ledger in step with the home that all sidecars share: reads it at the start, whenever its announcements may
/// have been missed, and every few seconds in any case; and brings there what it has lost.
package final class PurgeSync: Sendable {
    package struct Options: Sendable {
        /// Between two looks at the home, in nanoseconds; while it was not read yet or failed, a shorter time.
        package var interval = 5 * Duration64.nanosecondsPerSecond
        package var retry = 250 * Duration64.nanosecondsPerMillisecond
        /// How long one call may take, in nanoseconds.
        package var deadline = 5 * Duration64.nanosecondsPerSecond

        package init() {}
    }

    private struct State {
        var looks = RunAgain()
        var isClosed = false
        /// Of the home and of the ledger when they were compared last and agreed. The ledger's counts too: the home may
        /// lose marks, or never get one, without its revision being another than the one that was read.
        var agreed: Agreement?
        var timer: (any Scheduled)?
    }

    private struct Agreement: Equatable {
        var revision: UInt64
        var rises: UInt64
    }

    private let home: any PurgeHome
    private let ledger: PurgeLedger
    private let options: Options
    private let clock: any Clock
    private let scheduler: any Scheduler
    private let outages: OutageLog
    private let executor: (any TaskExecutor)?
    /// Makes marks that rose felt in this sidecar.
    private let apply: @Sendable ([PurgeMark]) -> Void
    private let state = Mutex(State())

    init(
        home: any PurgeHome, ledger: PurgeLedger, options: Options = Options(), clock: any Clock,
        scheduler: any Scheduler, log: any Log, executor: (any TaskExecutor)?,
        apply: @escaping @Sendable ([PurgeMark]) -> Void
    ) {
        self.home = home
        self.ledger = ledger
        self.options = options
        self.clock = clock
        self.scheduler = scheduler
        outages = OutageLog(log, failing: "purges-unread", working: "purges-read")
        self.executor = executor
        self.apply = apply
    }

    /// Raises a mark for all sidecars. Not for `PurgeGroup.older`, which is joined.
    func raise(_ group: PurgeGroup) async throws(PurgeHomeFailure) -> PurgeMark {
        try await home.raise(group, above: ledger.latest, deadline: clock.monotonic() + options.deadline)
    }

    func join(_ mark: PurgeMark) async throws(PurgeHomeFailure) {
        try await home.join([mark], deadline: clock.monotonic() + options.deadline)
    }

    /// Waits until what this sidecar told the home lasts.
    func lasting() async { await home.lasting(deadline: clock.monotonic() + options.deadline) }

    /// Looks at the home now, and from now on. Called at the start and whenever announcements may have been missed.
    package func refresh() {
        guard state.withLock({ !$0.isClosed && $0.looks.begin() }) else { return }
        Task.detached(executorPreference: executor) { await self.run() }
    }

    /// No look is begun any more.
    package func close() {
        let timer = state.withLock { state in
            state.isClosed = true
            state.looks.forget()
            return state.timer.take()
        }
        timer?.cancel()
    }

    private func run() async {
        var isKnown = false
        repeat {
            isKnown = await look()
        } while state.withLock { $0.looks.goesOn() }
        schedule(after: isKnown ? options.interval : options.retry)
    }

    private func schedule(after delay: Int64) {
        let timer = scheduler.schedule(after: delay) { [weak self] in self?.refresh() }
        let former = state.withLock { state in
            defer { state.timer = state.isClosed ? nil : timer }
            return state.isClosed ? timer : state.timer.take()
        }
        former?.cancel()
    }

    /// Whether the home could be read.
    private func look() async -> Bool {
        let deadline = clock.monotonic() + options.deadline
        do throws(PurgeHomeFailure) {
            let revision = try await home.revision(deadline: deadline)
            if Agreement(revision: revision, rises: ledger.rises) != state.withLock({ $0.agreed }) {
                let kept = try await home.marks(deadline: deadline)
                apply(ledger.adopt(kept))
                // From before comparing: what rises meanwhile is compared the next time.
                let now = Agreement(revision: revision, rises: ledger.rises)
                // What this sidecar knows and the home has lost, or never heard of because it could not be reached.
                let lost = ledger.all.missing(from: kept)
                if !lost.isEmpty { try await home.join(lost, deadline: deadline) }
                state.withLock { $0.agreed = lost.isEmpty ? now : nil }
            }
            ledger.settle()
            outages.note(nil)
            return true
        } catch {
            outages.note(error.description)
            return false
        }
    }
}
