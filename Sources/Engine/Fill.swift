import Core
import Synchronization
import Tiers

/// Writes entries to the lower tiers behind the backs of those who wait for answers.
///
/// Each tier has a queue and workers of its own, so that one that is slow holds up no other. An entry that could not be
/// written stays with its worker, which tries again after a while that doubles; what has no room in the queue makes the
/// oldest give way. Nothing is written twice in different versions at once: a key that is being written waits in the
/// queue until that is over.
package final class Fill: Sendable {
    package struct Options: Sendable {
        /// Of each queue.
        package var mostItems: Int
        package var mostBytes: Int
        /// How many entries are written to one tier at a time.
        package var workers = 4
        /// How often writing one entry may fail.
        package var attempts = 8
        /// Before the second attempt, in nanoseconds; doubled each time, up to the longest.
        package var firstBackoff = 100 * Duration64.nanosecondsPerMillisecond
        package var longestBackoff = 10 * Duration64.nanosecondsPerSecond

        package init(mostItems: Int, mostBytes: Int) {
            self.mostItems = mostItems
            self.mostBytes = mostBytes
        }
    }

    package struct Statistics: Sendable, Equatable {
        /// Entries that wait or are being written, and the bytes of those that wait.
        package var depth = 0
        package var bytes = 0
        package var dropped: [FillDrop: Int] = [:]
    }

    private let lanes: [FillLane]

    /// - Parameters:
    ///   - isWanted: asked before each write.
    ///   - executor: where the writing runs; nil: on the threads that all share.
    init(
        _ tiers: [any Tier], options: Options, scheduler: any Scheduler, random: any RandomSource,
        executor: (any TaskExecutor)? = nil, isWanted: @escaping @Sendable (Entry, CacheKey) -> Bool
    ) {
        lanes = tiers.map {
            FillLane(
                $0, options: options, scheduler: scheduler, random: random, executor: executor, isWanted: isWanted)
        }
    }

    /// Writes an entry to every tier, or to those named.
    func offer(_ entry: Entry, under key: CacheKey, to names: [TierName]? = nil) {
        for lane in lanes where names?.contains(lane.name) ?? true { lane.offer(entry, under: key) }
    }

    /// Whether an entry under a key waits or is being written: it may not be found below yet.
    func holds(_ key: CacheKey) -> Bool { lanes.contains { $0.holds(key) } }

    /// Does not write what waits under a key.
    func withdraw(_ key: CacheKey) {
        for lane in lanes { lane.withdraw(key) }
    }

    /// Calls `then` once nothing waits or is being written under a key, at once where that is so now.
    func whenWritten(_ key: CacheKey, to name: TierName, then: @escaping @Sendable () -> Void) {
        guard let lane = lanes.first(where: { $0.name == name }) else { return then() }
        lane.whenWritten(key, then)
    }

    /// Waits until everything is written, or `limit` nanoseconds are over; how many entries are lost then. Nothing is
    /// to be offered any more.
    package func flush(limit: Int64) async -> Int {
        var lost = 0
        await withTaskGroup(of: Int.self) { group in
            for lane in lanes { group.addTask { await lane.flush(limit: limit) } }
            for await count in group { lost += count }
        }
        return lost
    }

    package func statistics(of tier: TierName) -> Statistics {
        lanes.first { $0.name == tier }?.statistics ?? Statistics()
    }

    package var tiers: [TierName] { lanes.map(\.name) }

    /// Whether no queue is half full: for those who can wait with what they offer.
    package var hasRoom: Bool { lanes.allSatisfy(\.hasRoom) }
}

/// The way of entries into one tier.
private final class FillLane: Sendable {
    private struct State {
        var queue: FillQueue
        var writing: Set<CacheKey> = []
        var workers = 0
        var dropped: [FillDrop: Int] = [:]
        var waiters: [CacheKey: [@Sendable () -> Void]] = [:]
        /// Told when nothing is left to do.
        var flushers: [CheckedContinuation<Void, Never>] = []
        /// Workers that wait before they try again, by number.
        var pauses: [Int: Pause] = [:]
        var nextPause = 0
        /// No attempt is waited for any more.
        var isOver = false

        var isIdle: Bool { queue.count == 0 && writing.isEmpty }
        func holds(_ key: CacheKey) -> Bool { queue.contains(key) || writing.contains(key) }
    }

    private struct Pause {
        var waiter: CheckedContinuation<Void, Never>
        var timer: (any Scheduled)?
    }

    let name: TierName
    private let tier: any Tier
    private let options: Fill.Options
    private let scheduler: any Scheduler
    private let random: any RandomSource
    private let executor: (any TaskExecutor)?
    private let isWanted: @Sendable (Entry, CacheKey) -> Bool
    private let state: Mutex<State>

    init(
        _ tier: any Tier, options: Fill.Options, scheduler: any Scheduler, random: any RandomSource,
        executor: (any TaskExecutor)?, isWanted: @escaping @Sendable (Entry, CacheKey) -> Bool
    ) {
        self.tier = tier
        name = tier.name
        self.options = options
        self.scheduler = scheduler
        self.random = random
        self.executor = executor
        self.isWanted = isWanted
        state = Mutex(State(queue: FillQueue(mostItems: options.mostItems, mostBytes: options.mostBytes)))
    }

    var statistics: Fill.Statistics {
        state.withLock {
            Fill.Statistics(depth: $0.queue.count + $0.writing.count, bytes: $0.queue.bytes, dropped: $0.dropped)
        }
    }

    var hasRoom: Bool {
        state.withLock { $0.queue.count < options.mostItems / 2 && $0.queue.bytes < options.mostBytes / 2 }
    }

    func offer(_ entry: Entry, under key: CacheKey) {
        let (startsWorker, told) = state.withLock { state -> (Bool, [@Sendable () -> Void]) in
            guard !state.isOver else {
                state.dropped[.stopped, default: 0] += 1
                return (false, [])
            }
            let dropped = state.queue.append(FillQueue.Item(key: key, entry: entry))
            state.dropped[.full, default: 0] += dropped.count
            let told = dropped.flatMap { settled($0.key, &state) }
            guard state.workers < options.workers, state.queue.count > 0 else { return (false, told) }
            state.workers += 1
            return (true, told)
        }
        for waiter in told { waiter() }
        if startsWorker { Task.detached(executorPreference: executor) { await self.work() } }
    }

    func withdraw(_ key: CacheKey) {
        let told = state.withLock { state in
            state.queue.remove(key)
            return settled(key, &state)
        }
        for waiter in told { waiter() }
    }

    func holds(_ key: CacheKey) -> Bool { state.withLock { $0.holds(key) } }

    func whenWritten(_ key: CacheKey, _ then: @escaping @Sendable () -> Void) {
        let isNow = state.withLock { state in
            guard state.holds(key) else { return true }
            state.waiters[key, default: []].append(then)
            return false
        }
        if isNow { then() }
    }

    /// Those who wait for a key that nothing is left to do for.
    private func settled(_ key: CacheKey, _ state: inout State) -> [@Sendable () -> Void] {
        guard !state.holds(key) else { return [] }
        return state.waiters.removeValue(forKey: key) ?? []
    }

    // MARK: Working

    private func work() async {
        while let item = next() {
            finish(item, isWritten: await write(item))
        }
    }

    /// Tries until the tier has taken or refused it; false where it is to be given up.
    private func write(_ item: FillQueue.Item) async -> Bool {
        var failures = 0
        // A purge or a newer entry may have come while it waited.
        while isWanted(item.entry, item.key), failures == 0 || !isReplaced(item.key) {
            if await tier.store(item.entry, under: item.key) != .failed { return true }
            failures += 1
            guard failures < options.attempts, await pause(backoff(after: failures)) else { return false }
        }
        return true
    }

    private func isReplaced(_ key: CacheKey) -> Bool { state.withLock { $0.queue.contains(key) } }

    /// The oldest entry whose key is not being written already; nil ends the worker.
    private func next() -> FillQueue.Item? {
        state.withLock { state in
            if let item = state.queue.takeFirst(unless: state.writing) {
                state.writing.insert(item.key)
                return item
            }
            state.workers -= 1
            return nil
        }
    }

    private func finish(_ item: FillQueue.Item, isWritten: Bool) {
        let (told, flushers) = state.withLock { state in
            state.writing.remove(item.key)
            // Whoever gave up waiting has counted it already.
            if !isWritten, !state.isOver { state.dropped[.failed, default: 0] += 1 }
            return (settled(item.key, &state), state.isIdle ? takeFlushers(&state) : [])
        }
        for waiter in told { waiter() }
        for flusher in flushers { flusher.resume() }
    }

    /// Between half of it and the whole, so that the sidecars of a deployment do not come back all at once.
    private func backoff(after failures: Int) -> Int64 {
        let doubled = options.firstBackoff << min(failures - 1, 20)
        let whole = max(2, min(doubled, options.longestBackoff))
        return whole / 2 + Int64(random.next() % UInt64(whole / 2))
    }

    /// Whether to go on after it.
    private func pause(_ delay: Int64) async -> Bool {
        await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
            let number = state.withLock { state -> Int? in
                guard !state.isOver else { return nil }
                state.nextPause += 1
                state.pauses[state.nextPause] = Pause(waiter: waiter)
                return state.nextPause
            }
            guard let number else { return waiter.resume() }
            let timer = scheduler.schedule(after: delay) { [weak self] in self?.goOn(number) }
            let isOver = state.withLock { state in
                state.pauses[number]?.timer = timer
                return state.isOver
            }
            if isOver { timer.cancel() }
        }
        return state.withLock { !$0.isOver }
    }

    private func goOn(_ number: Int) {
        let pause = state.withLock { $0.pauses.removeValue(forKey: number) }
        pause?.waiter.resume()
    }

    // MARK: The end

    func flush(limit: Int64) async -> Int {
        let timer = scheduler.schedule(after: limit) { [weak self] in self?.giveUp() }
        await withCheckedContinuation { (flusher: CheckedContinuation<Void, Never>) in
            let isDone = state.withLock { state in
                // Its time may be over before it begins to wait.
                let isDone = state.isIdle || state.isOver
                if !isDone { state.flushers.append(flusher) }
                return isDone
            }
            if isDone { flusher.resume() }
        }
        timer.cancel()
        return state.withLock { $0.dropped[.stopped] ?? 0 }
    }

    private func takeFlushers(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        defer { state.flushers = [] }
        return state.flushers
    }

    /// What is left is lost: it waits in vain for a tier that does not come back in time.
    private func giveUp() {
        let (pauses, told, flushers) = state.withLock { state in
            state.isOver = true
            state.dropped[.stopped, default: 0] += state.queue.removeAll() + state.writing.count
            defer { (state.pauses, state.waiters) = ([:], [:]) }
            return (Array(state.pauses.values), state.waiters.values.flatMap(\.self), takeFlushers(&state))
        }
        for pause in pauses {
            pause.timer?.cancel()
            pause.waiter.resume()
        }
        for waiter in told { waiter() }
        for flusher in flushers { flusher.resume() }
    }
}
