import Core
import Synchronization

/// Timers that fire when a test lets time pass: in the order they are due, and those due together in the order they
/// were set.
package final class ManualScheduler: Scheduler {
    private struct Timer {
        let due: Int64
        let number: Int
        let work: @Sendable () -> Void
    }

    private struct State {
        var timers: [Int: Timer] = [:]
        var next = 0
    }

    private let clock: ManualClock
    private let state = Mutex(State())

    package init(clock: ManualClock) { self.clock = clock }

    /// Timers that neither fired nor were cancelled.
    package var count: Int { state.withLock { $0.timers.count } }

    /// When the next timer is due, in monotonic nanoseconds.
    package var nextDue: Int64? { state.withLock { state in state.timers.values.map(\.due).min() } }

    package func schedule(after delay: Int64, _ work: @escaping @Sendable () -> Void) -> any Scheduled {
        let due = clock.monotonic() + max(0, delay)
        let number = state.withLock { state in
            state.next += 1
            state.timers[state.next] = Timer(due: due, number: state.next, work: work)
            return state.next
        }
        return Handle(scheduler: self, number: number)
    }

    /// Lets time pass; each timer fires at its own time, and `after` runs behind each.
    package func advance(_ duration: Duration, after: () -> Void = {}) {
        let end = clock.monotonic() + duration.nanoseconds
        while let timer = takeFirst(dueBy: end) {
            clock.advance(nanoseconds: max(0, timer.due - clock.monotonic()))
            timer.work()
            after()
        }
        clock.advance(nanoseconds: max(0, end - clock.monotonic()))
    }

    private func takeFirst(dueBy end: Int64) -> Timer? {
        state.withLock { state in
            let first = state.timers.values.min { ($0.due, $0.number) < ($1.due, $1.number) }
            guard let first, first.due <= end else { return nil }
            return state.timers.removeValue(forKey: first.number)
        }
    }

    private struct Handle: Scheduled {
        let scheduler: ManualScheduler
        let number: Int

        func cancel() {
            // What the timer holds is let go of outside the lock.
            _ = scheduler.state.withLock { $0.timers.removeValue(forKey: number) }
        }
    }
}
