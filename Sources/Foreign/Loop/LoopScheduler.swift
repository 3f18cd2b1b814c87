import Core
import Synchronization

/// Deadlines on a loop's timers.
package struct LoopScheduler: Scheduler {
    private let loop: EventLoop

    package init(loop: EventLoop) { self.loop = loop }

    package func schedule(after delay: Int64, _ work: @escaping @Sendable () -> Void) -> any Scheduled {
        let timer = ScheduledTimer(loop: loop, work: work)
        if loop.isCurrent { timer.arm(after: delay) } else { loop.execute { timer.arm(after: delay) } }
        return timer
    }
}

/// Sendable because `event` is touched on the loop's thread alone, which `arm` and `disarm` are called on, and the rest
/// is atomic or immutable.
private final class ScheduledTimer: Scheduled, @unchecked Sendable {
    private let loop: EventLoop
    private let work: @Sendable () -> Void
    private let isDone = Atomic(false)
    private var event: LoopEvent?

    init(loop: EventLoop, work: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.work = work
    }

    func arm(after delay: Int64) {
        guard !isDone.load(ordering: .acquiring) else { return }
        // The event holds the timer until it fires or is disarmed, so nobody else has to.
        let event = loop.timer { self.fire() }
        event.arm(after: delay)
        self.event = event
    }

    func cancel() {
        guard !isDone.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if loop.isCurrent { disarm() } else { loop.execute { self.disarm() } }
    }

    private func fire() {
        disarm()
        if !isDone.exchange(true, ordering: .acquiringAndReleasing) { work() }
    }

    private func disarm() {
        event?.disarm()
        event = nil
    }
}
