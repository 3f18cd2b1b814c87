import Core
import Synchronization

/// The third tier: entries as objects of a store, found under a deadline after which the caller goes on without them.
///
/// What is not a whole entry of the key that was asked for is a counted miss and, unless it may be good for another
/// sidecar, deleted; so is what is beyond its retention. A store that fails is a counted miss; while the breaker is open
/// nothing is asked.
package final class ObjectTier: Tier {
    package struct Options: Sendable {
        package var write = Settings.ObjectWrite.always
        /// Entries whose bytes are fewer or more are not written.
        package var floor = 0
        package var ceiling = 64 << 20
        /// How long a look-up may take, in nanoseconds.
        package var deadline = 250 * Duration64.nanosecondsPerMillisecond
        /// How long a write or a removal may take, in nanoseconds; nobody's answer waits for them.
        package var writeDeadline = 10 * Duration64.nanosecondsPerSecond
        /// For how long an entry is kept beyond its lifetime, in milliseconds; negative counts as 0.
        package var retainStale: Int64 = 0
        package var breaker = Breaker.Options()

        package init() {}
    }

    private let store: any ObjectStore
    private let codec: EntryCodec
    private let options: Options
    private let clock: any Clock
    private let numbers = Mutex(ObjectTierStatistics())
    private let doorkeeper = Mutex(Doorkeeper())
    private let breaker: SharedBreaker
    private let health: StoreHealth

    package init(store: any ObjectStore, codec: EntryCodec, options: Options, clock: any Clock, log: any Log) {
        self.store = store
        self.codec = codec
        self.options = options
        self.clock = clock
        breaker = SharedBreaker(target: "objects", options: options.breaker, clock: clock, log: log)
        health = StoreHealth(log: log)
    }

    package var name: TierName { .objects }

    package var statistics: ObjectTierStatistics { numbers.withLock { $0 } }
    package var breakerState: BreakerState { breaker.state }

    // MARK: Tier

    package func look(for key: CacheKey) async -> TierFinding {
        let name = ObjectName(entry: key)
        let deadline = clock.monotonic() + options.deadline
        let bytes: Bytes
        switch await read(name, deadline: deadline) {
        case .success(let found?): bytes = found
        case .success(nil): return .nothing
        case .failure, nil: return .unknown
        }
        let stored = codec.open(bytes, under: key, now: clock.wall(), retainStale: options.retainStale)
        switch stored {
        case .live(let entry):
            numbers.withLock { $0.hits += 1 }
            return .held(entry)
        case .dead: numbers.withLock { $0.expired += 1 }
        case .refused(let failure): numbers.withLock { $0.refused[failure, default: 0] += 1 }
        }
        guard stored.isToBeDeleted else { return .unknown }
        await discard(name, deadline: deadline)
        return .nothing
    }

    @discardableResult
    package func store(_ entry: Entry, under key: CacheKey) async -> StoreResult {
        guard options.write != .off else { return .refused }
        let result = await write(entry, under: key)
        numbers.withLock { $0.writes[result, default: 0] += 1 }
        return result
    }

    @discardableResult
    package func remove(_ key: CacheKey) async -> Bool {
        let deadline = clock.monotonic() + options.writeDeadline
        return await discard(ObjectName(entry: key), deadline: deadline)
    }

    // MARK: Steps

    /// nil where the store was not asked.
    private func read(_ name: ObjectName, deadline: Int64) async -> Result<Bytes?, ObjectFailure>? {
        let limit = codec.limit
        let answer = await call(.read) { store throws(ObjectFailure) in
            try await store.get(name, limit: limit, deadline: deadline)
        }
        switch answer {
        case .success(nil): numbers.withLock { $0.misses += 1 }
        case .failure(let failure) where failure.kind == .tooLarge:
            numbers.withLock { $0.refused[.tooLarge, default: 0] += 1 }
        case .success, .failure, nil: break
        }
        return answer
    }

    private func write(_ entry: Entry, under key: CacheKey) async -> StoreResult {
        let name = ObjectName(entry: key)
        let deadline = clock.monotonic() + options.writeDeadline
        guard let bytes = admit(entry, under: key) else {
            // It was to be replaced, so what is held must not be served any more.
            await discard(name, deadline: deadline)
            return .refused
        }
        let answer = await call(.write) { store throws(ObjectFailure) in
            try await store.put(name, bytes, deadline: deadline)
        }
        switch answer {
        case .success: return .stored
        case .failure(let failure) where failure.kind == .tooLarge:
            numbers.withLock { $0.notWritten += 1 }
            await discard(name, deadline: deadline)
            return .refused
        case .failure, nil: return .failed
        }
    }

    /// The bytes to write, nil where the entry is not to be kept here.
    private func admit(_ entry: Entry, under key: CacheKey) -> Bytes? {
        if options.write == .onSecondHit, !doorkeeper.withLock({ $0.hasSeen(key) }) {
            numbers.withLock { $0.firstSeen += 1 }
            return nil
        }
        let bytes = try? codec.encode(entry, under: key)
        if let bytes, bytes.count >= options.floor, bytes.count <= options.ceiling { return bytes }
        numbers.withLock { $0.notWritten += 1 }
        return nil
    }

    @discardableResult
    private func discard(_ name: ObjectName, deadline: Int64) async -> Bool {
        let answer = await call(.write) { store throws(ObjectFailure) in
            try await store.delete(name, deadline: deadline)
        }
        guard case .success(true) = answer else { return false }
        numbers.withLock { $0.deleted += 1 }
        return true
    }

    // MARK: Calls

    /// nil where the store was not asked.
    private func call<Value>(
        _ direction: StoreHealth.Direction, _ body: (any ObjectStore) async throws(ObjectFailure) -> Value
    ) async -> Result<Value, ObjectFailure>? {
        guard let permit = breaker.admit() else {
            numbers.withLock { $0.notAsked += 1 }
            return nil
        }
        let start = clock.monotonic()
        do throws(ObjectFailure) {
            let value = try await body(store)
            health.succeeded(direction)
            answered(permit, direction, since: start)
            return .success(value)
        } catch {
            failed(permit, direction, error, since: start)
            return .failure(error)
        }
    }

    /// While look-ups fail, writes may succeed, and one that takes longer than a look-up may says nothing about them.
    private func answered(_ permit: Breaker.Permit, _ direction: StoreHealth.Direction, since start: Int64) {
        let isTelling = breaker.state != .closed && clock.monotonic() - start <= options.deadline
        if direction == .read || isTelling { breaker.succeeded(permit) }
    }

    private func failed(
        _ permit: Breaker.Permit, _ direction: StoreHealth.Direction, _ failure: ObjectFailure, since start: Int64
    ) {
        if failure.kind == .tooLarge {
            // The store is well.
            health.succeeded(direction)
            return answered(permit, direction, since: start)
        }
        numbers.withLock { $0.failures[failure.kind, default: 0] += 1 }
        if failure.isOutage {
            breaker.failed(permit, reason: "\(failure.kind.rawValue): \(failure.message)")
        } else if failure.kind != .busy {
            answered(permit, direction, since: start)
        }
        // While the breaker is not closed it has told already.
        guard breaker.state == .closed else { return }
        health.failed(direction, failure, limit: failure.isRefusal ? 1 : options.breaker.failureLimit)
    }
}

extension ObjectFailure {
    /// Whether it says that nothing can be had of the store, rather than that a call was refused or came too many.
    fileprivate var isOutage: Bool {
        switch kind {
        case .deadline, .unavailable, .malformed, .broken, .shutdown: true
        case .busy, .denied, .full, .tooLarge: false
        }
    }

    /// Whether the next call will see the same.
    fileprivate var isRefusal: Bool { kind == .denied || kind == .full }
}

/// What the object tier did since it was made.
package struct ObjectTierStatistics: Sendable, Equatable {
    package var hits = 0
    /// Look-ups that found nothing.
    package var misses = 0
    /// Look-ups that found what was beyond its retention.
    package var expired = 0
    /// Look-ups that found what may not be served.
    package var refused: [EntryFailure: Int] = [:]
    /// Calls of the store that failed, look-ups or others.
    package var failures: [ObjectFailure.Kind: Int] = [:]
    /// Calls that were not made because the breaker was open.
    package var notAsked = 0
    /// Those of `objects.write: off` are not counted.
    package var writes: [StoreResult: Int] = [:]
    package var deleted = 0
    /// Entries not written because of their size (`floor`, `ceiling`, the limits of codec and store), or because
    /// encryption failed.
    package var notWritten = 0
    /// Entries not written because they were offered for the first time (`objects.write: on-second-hit`).
    package var firstSeen = 0
}
