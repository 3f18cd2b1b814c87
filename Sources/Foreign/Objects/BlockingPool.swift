import Core
import Glibc
import Synchronization

/// A few threads for calls that block, each under a deadline after which its caller goes on without it.
///
/// A call that hangs keeps its thread but nobody else: its caller goes on at the deadline, and when all threads hang, new
/// calls wait in a bounded queue until theirs.
final class BlockingPool: Sendable {
    private let queue: CallQueue
    private let scheduler: any Scheduler
    private let clock: any Clock

    /// - Parameters:
    ///   - waiting: how many calls may wait for a thread.
    ///   - scheduler: keeps the deadlines; it must not run on these threads.
    init(name: String, threads: Int, waiting: Int, scheduler: any Scheduler, clock: any Clock) throws(LoopError) {
        let queue = CallQueue(limit: waiting)
        self.queue = queue
        self.scheduler = scheduler
        self.clock = clock
        for _ in 0..<max(1, threads) {
            // Not joined: a thread may hang for as long as the file system it waits for.
            try SystemThread(name: name) { queue.work() }.detach()
        }
    }

    deinit { queue.close() }

    /// How many calls wait for a thread.
    var waiting: Int { queue.count }

    /// Runs `work` on one of the threads, unless the deadline passed before its turn came.
    func run<Value: Sendable>(
        deadline: Int64, _ work: @escaping @Sendable () throws(ObjectFailure) -> Value
    ) async throws(ObjectFailure) -> Value {
        let outcome = CallOutcome<Value>()
        let timer = scheduler.schedule(after: max(0, deadline - clock.monotonic())) {
            outcome.set(.failure(ObjectFailure(.deadline, "the store did not answer in time")))
        }
        defer { timer.cancel() }
        let call = CallQueue.Call(
            run: {
                guard !outcome.isSet else { return }
                do throws(ObjectFailure) {
                    outcome.set(.success(try work()))
                } catch {
                    outcome.set(.failure(error))
                }
            }, refuse: { outcome.set(.failure($0)) })
        return try await withCheckedContinuation { waiter in
            outcome.wait(waiter)
            queue.add(call)
        }.get()
    }

    /// Runs `work` when a thread is free, unless there is no room in the queue; nobody waits for it.
    func post(_ work: @escaping @Sendable () -> Void) { queue.add(CallQueue.Call(run: work, refuse: { _ in })) }

    /// Fails what waits and what comes. The threads end when what they do is done.
    func close() { queue.close() }
}

/// Calls in order of arrival, and threads that wait for them.
///
/// Sendable because `semaphore` is made in `init`, only used through the functions of `sem_post` and `sem_wait`, which
/// any thread may call, and destroyed in `deinit`, when no thread is left that could; the rest is behind `state`.
private final class CallQueue: @unchecked Sendable {
    struct Call: Sendable {
        var run: @Sendable () -> Void
        var refuse: @Sendable (ObjectFailure) -> Void
    }

    /// A queue of two stacks: calls come onto one and leave from the other, which is the first one turned over.
    private struct State {
        var arrived: [Call] = []
        var leaving: [Call] = []
        var isClosed = false

        var count: Int { arrived.count + leaving.count }

        mutating func next() -> Call? {
            if leaving.isEmpty {
                leaving = arrived.reversed()
                arrived.removeAll(keepingCapacity: true)
            }
            return leaving.popLast()
        }
    }

    private let state = Mutex(State())
    private let limit: Int
    /// Counts calls that arrived and, after closing, threads that are to end.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init(limit: Int) {
        self.limit = limit
        semaphore = .allocate(capacity: 1)
        // Fails for a starting value out of range only.
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    var count: Int { state.withLock { $0.count } }

    func add(_ call: Call) {
        let refusal: ObjectFailure? = state.withLock { state in
            if state.isClosed { return CallQueue.closed }
            if state.count >= limit { return ObjectFailure(.busy, "\(limit) calls wait for the store already") }
            state.arrived.append(call)
            return nil
        }
        if let refusal { call.refuse(refusal) } else { sem_post(semaphore) }
    }

    /// What a thread does until the queue is closed.
    func work() {
        while true {
            // Fails when a signal interrupts it only.
            while sem_wait(semaphore) != 0 {}
            let (call, isClosed) = state.withLock { ($0.next(), $0.isClosed) }
            call?.run()
            if isClosed {
                // For the next thread.
                sem_post(semaphore)
                return
            }
        }
    }

    func close() {
        let calls: [Call] = state.withLock { state in
            state.isClosed = true
            defer { (state.arrived, state.leaving) = ([], []) }
            return state.leaving.reversed() + state.arrived
        }
        for call in calls { call.refuse(CallQueue.closed) }
        sem_post(semaphore)
    }

    private static let closed = ObjectFailure(.shutdown, "the store is closed")
}
