import CEvent
import Core
import Glibc
import Synchronization

/// One libevent base and the thread that runs it; also the executor of the actors that live on it, and, as the
/// preferred executor of their tasks, of what those await: without that preference a resumed task passes through the
/// global pool, which costs two wake-ups of other threads.
///
/// All sockets, timers and calls of one worker belong to one loop and are touched on its thread alone, so none of
/// them needs a lock. Other threads reach it through `execute` and `enqueue` only.
///
/// Sendable because what other threads may touch is either immutable (`base`'s and `wakeup`'s addresses, the
/// descriptor, which is only written to) or behind `inbox` and `thread`; `base` itself is used on the loop's thread,
/// which `precondition`s check where a caller could be wrong.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
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
    /// Whether the next job is to run where it is enqueued. Loop thread only.
    private var startsInPlace = false
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
            { _, flags, context in
                // Set to `self` two lines below, never nil.
                Unmanaged<EventLoop>.fromOpaque(context!).takeUnretainedValue().wokeUp(Int32(flags))
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

    /// Runs `work` on the loop's thread and waits until it is done. While the loop runs.
    package func perform(_ work: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            execute {
                work()
                done.resume()
            }
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard isCurrent, startsInPlace else { return post(.job(job)) }
        startsInPlace = false
        run(job)
    }

    /// Makes the task that is created next run up to its first wait before its creator goes on. `Task.immediate` does
    /// not: it enqueues a task that prefers an executor, which costs a turn of the loop. (Without optimization the
    /// compiler puts such a turn in by itself: nobody may rely on the order.) On the loop's thread.
    package func startNextTaskInPlace() {
        checkIsolated()
        startsInPlace = true
    }

    private func run(_ job: UnownedJob) {
        job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

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
            event_active(wakeup, EventLoop.ownWakeUp, 0)
        } else {
            // Can only fail when the counter is full, and then the loop is awake anyway.
            eventfd_write(wakeDescriptor, 1)
        }
    }

    /// The loop's own thread wakes it with another flag than the descriptor does: then there is nothing to read.
    private static let ownWakeUp = EV_WRITE

    private func wokeUp(_ flags: Int32) {
        if flags & EV_READ != 0 {
            var count: eventfd_t = 0
            eventfd_read(wakeDescriptor, &count)
        }
        drain()
    }

    private func drain() {
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
                case .job(let job): run(job)
                case .closure(let closure): closure()
                }
            }
            remaining -= batch.count
            batch.removeAll(keepingCapacity: batch.capacity <= 4096)
            spare = batch
        }
        // Still marked awake, so no other thread will write to the descriptor: come back by ourselves.
        if let wakeup { event_active(wakeup, EventLoop.ownWakeUp, 0) }
    }
}

package struct LoopError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension EventLoop {
    /// Runs the loop on a thread of its own; `join` it after `stop`. One in the background lets all others go first.
    package func startThread(named name: String, isBackground: Bool = false) throws(LoopError) -> SystemThread {
        try SystemThread(name: name) { [self] in
            if isBackground { SystemThread.giveWay() }
            run()
        }
    }
}
