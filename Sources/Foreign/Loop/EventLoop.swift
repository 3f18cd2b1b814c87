import CEvent
import Glibc
import Synchronization

/// One libevent base and the thread that runs it; also the executor of the actors that live on it.
///
/// All sockets, timers and calls of one worker belong to one loop and are touched on its thread alone, so none of
/// them needs a lock. Other threads reach it through `execute` and `enqueue` only.
///
/// Sendable because what other threads may touch is either immutable (`base`'s and `wakeup`'s addresses, the
/// descriptor, which is only written to) or behind `inbox` and `thread`; `base` itself is used on the loop's thread,
/// which `precondition`s check where a caller could be wrong.
package final class EventLoop: SerialExecutor, @unchecked Sendable {
    private enum Work {
        case job(UnownedJob)
        case closure(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        var isAwake = false
        var isClosed = false
    }

    let base: OpaquePointer
    private let wakeDescriptor: CInt
    private var wakeup: OpaquePointer?
    private let inbox = Mutex(Inbox())
    /// The thread that runs the loop, 0 while none does.
    private let thread = Atomic<UInt>(0)
    /// Emptied batch, kept to be filled again without allocating. Loop thread only.
    private var spare: [Work] = []

    /// Work taken from the inbox in one turn, so that sockets get theirs in between.
    private static let batchLimit = 1024

    package init() throws(LoopError) {
        guard let base = event_base_new() else { throw LoopError("libevent could not make an event base") }
        let descriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else {
            event_base_free(base)
            throw LoopError("eventfd: \(String(cString: strerror(errno)))")
        }
        self.base = base
        wakeDescriptor = descriptor
        // Unretained: the event is freed in deinit, before the object it points to is gone.
        wakeup = event_new(
            base, descriptor, Int16(EV_READ | EV_PERSIST),
            { _, _, context in
                // Set to `self` two lines below, never nil.
                Unmanaged<EventLoop>.fromOpaque(context!).takeUnretainedValue().drain()
            }, Unmanaged.passUnretained(self).toOpaque())
        guard let wakeup, event_add(wakeup, nil) == 0 else {
            throw LoopError("libevent could not watch the wake-up descriptor")
        }
    }

    deinit {
        if let wakeup { event_free(wakeup) }
        event_base_free(base)
        close(wakeDescriptor)
    }

    package var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Runs on the calling thread until `stop`.
    package func run() {
        thread.store(UInt(pthread_self()), ordering: .sequentiallyConsistent)
        event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY)
        drain()
        thread.store(0, ordering: .sequentiallyConsistent)
    }

    /// Ends `run` after the current callback; from any thread.
    package func stop() {
        execute { [self] in event_base_loopbreak(base) }
    }

    /// Runs `work` on the loop's thread, in order of arrival; from any thread.
    package func execute(_ work: @escaping @Sendable () -> Void) { post(.closure(work)) }

    package func enqueue(_ job: consuming ExecutorJob) { post(.job(UnownedJob(job))) }

    package func checkIsolated() {
        precondition(isCurrent, "EventLoop: called from another thread than the loop's")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    private func post(_ work: Work) {
        let mustWake = inbox.withLock { inbox in
            inbox.work.append(work)
            defer { inbox.isAwake = true }
            return !inbox.isAwake
        }
        guard mustWake else { return }
        if isCurrent, let wakeup {
            event_active(wakeup, Int32(EV_READ), 0)
        } else {
            // Can only fail when the counter is full, and then the loop is awake anyway.
            eventfd_write(wakeDescriptor, 1)
        }
    }

    private func drain() {
        var count: eventfd_t = 0
        eventfd_read(wakeDescriptor, &count)
        var remaining = EventLoop.batchLimit
        while remaining > 0 {
            var batch = spare
            spare = []
            inbox.withLock { inbox in
                swap(&batch, &inbox.work)
                if batch.isEmpty { inbox.isAwake = false }
            }
            guard !batch.isEmpty else {
                spare = batch
                return
            }
            for work in batch {
                switch work {
                case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
                case .closure(let closure): closure()
                }
            }
            remaining -= batch.count
            batch.removeAll(keepingCapacity: batch.capacity <= 4096)
            spare = batch
        }
        // Still marked awake, so no other thread will write to the descriptor: come back by ourselves.
        if let wakeup { event_active(wakeup, Int32(EV_READ), 0) }
    }
}

package struct LoopError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension EventLoop {
    /// Runs the loop on a thread of its own; `join` it after `stop`.
    package func startThread(named name: String) throws(LoopError) -> LoopThread {
        try LoopThread(loop: self, name: name)
    }
}

/// The thread of one loop.
package final class LoopThread: Sendable {
    private let identifier: pthread_t

    fileprivate init(loop: EventLoop, name: String) throws(LoopError) {
        final class Start {
            let loop: EventLoop
            let name: String
            init(_ loop: EventLoop, _ name: String) {
                self.loop = loop
                self.name = name
            }
        }
        var identifier = pthread_t()
        // Retained here and released by the new thread, or below if there is none.
        let start = Unmanaged.passRetained(Start(loop, name))
        let status = pthread_create(
            &identifier, nil,
            { context in
                // Always the retained `Start`.
                let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
                start.loop.run()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw LoopError("pthread_create: \(String(cString: strerror(status)))")
        }
        self.identifier = identifier
    }

    package func join() { pthread_join(identifier, nil) }

    /// Whether the thread ended in time.
    package func join(within limit: Duration) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += Int(limit.components.seconds)
        return pthread_timedjoin_np(identifier, nil, &deadline) == 0
    }
}
