import Glibc
import Synchronization

/// Notices the signals that ask a command to stop, so that it can end where it is whole. The second one ends the
/// process at once. One per process.
package final class StopRequest: Sendable {
    private let flag: Flag
    private let loop: EventLoop
    private let thread: SystemThread

    /// `first` is called at the first signal, on a thread of its own.
    package init(first: @escaping @Sendable () -> Void = {}) throws(LoopError) {
        let loop = try EventLoop()
        let flag = Flag(first)
        self.loop = loop
        self.flag = flag
        loop.execute { flag.watch(on: loop) }
        thread = try loop.startThread(named: "signals")
    }

    package var isMade: Bool { flag.value.load(ordering: .relaxed) }

    /// Signals have their usual effect again.
    package func close() {
        loop.execute { [flag] in flag.forget() }
        loop.stop()
        thread.join()
    }

    /// Sendable because `events` is touched on the loop's thread alone and the rest is atomic.
    private final class Flag: @unchecked Sendable {
        let value = Atomic(false)
        private let first: @Sendable () -> Void
        private var events: [LoopEvent] = []

        init(_ first: @escaping @Sendable () -> Void) { self.first = first }

        func watch(on loop: EventLoop) {
            events = Signals.stopping.map { signal in
                loop.watchSignal(signal) { [unowned self] in
                    if value.exchange(true, ordering: .relaxed) { Console.exit(1) }
                    first()
                }
            }
        }

        func forget() { events = [] }
    }
}
