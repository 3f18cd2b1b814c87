import Core
import Synchronization

/// The third tier: entries as objects of a store, found under a deadline after which the caller goes on without them.
///
/// What is not a whole entry of the key that was asked for is a counted miss and, unless it may be good for another
/// sidecar, deleted; so is what is beyond its retention. A store that fails is a counted miss, and one log line when it
/// begins to fail and one when it works again.
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

        package init() {}
    }

    private let store: any ObjectStore
    private let codec: EntryCodec
    private let options: Options
    private let clock: any Clock
    private let numbers = Mutex(ObjectTierStatistics())
    private let doorkeeper = Mutex(Doorkeeper())
    private let health: StoreHealth

    package init(store: any ObjectStore, codec: EntryCodec, options: Options, clock: any Clock, log: any Log) {
        self.store = store
        self.codec = codec
        self.options = options
        self.clock = clock
        health = StoreHealth(log: log)
    }

    package var name: TierName { .objects }

    package var statistics: ObjectTierStatistics { numbers.withLock { $0 } }

    // MARK: Tier

    package func find(_ key: CacheKey) async -> Entry? {
        let name = ObjectName(entry: key)
        let deadline = clock.monotonic() + options.deadline
        guard let bytes = await read(name, deadline: deadline) else { return nil }
        let stored = codec.open(bytes, under: key, now: clock.wall(), retainStale: options.retainStale)
        switch stored {
        case .live(let entry):
            numbers.withLock { $0.hits += 1 }
            return entry
        case .dead: numbers.withLock { $0.expired += 1 }
        case .refused(let failure): numbers.withLock { $0.refused[failure, default: 0] += 1 }
        }
        if stored.isToBeDeleted { await discard(name, deadline: deadline) }
        return nil
    }

    @discardableResult
    package func store(_ entry: Entry, under key: CacheKey) async -> StoreResult {
        guard options.write != .off else { return .refused }
        let name = ObjectName(entry: key)
        let deadline = clock.monotonic() + options.writeDeadline
        guard let bytes = admit(entry, under: key) else {
            // It was to be replaced, so what is held must not be served any more.
            await discard(name, deadline: deadline)
            return .refused
        }
        do throws(ObjectFailure) {
            try await store.put(name, bytes, deadline: deadline)
            health.succeeded(.write)
            numbers.withLock { $0.written += 1 }
            return .stored
        } catch {
            guard error.kind == .tooLarge else {
                failed(.write, error)
                return .failed
            }
            // The store is well.
            numbers.withLock { $0.notWritten += 1 }
            await discard(name, deadline: deadline)
            return .refused
        }
    }

    @discardableResult
    package func remove(_ key: CacheKey) async -> Bool {
        let deadline = clock.monotonic() + options.writeDeadline
        return await discard(ObjectName(entry: key), deadline: deadline)
    }

    // MARK: Steps

    /// nil where there is none or the store failed.
    private func read(_ name: ObjectName, deadline: Int64) async -> Bytes? {
        do throws(ObjectFailure) {
            let bytes = try await store.get(name, limit: codec.limit, deadline: deadline)
            health.succeeded(.read)
            if bytes == nil { numbers.withLock { $0.misses += 1 } }
            return bytes
        } catch {
            guard error.kind == .tooLarge else {
                failed(.read, error)
                return nil
            }
            // The store is well.
            health.succeeded(.read)
            numbers.withLock { $0.refused[.tooLarge, default: 0] += 1 }
            return nil
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
        do throws(ObjectFailure) {
            let isDeleted = try await store.delete(name, deadline: deadline)
            health.succeeded(.write)
            if isDeleted { numbers.withLock { $0.deleted += 1 } }
            return isDeleted
        } catch {
            failed(.write, error)
            return false
        }
    }

    private func failed(_ direction: StoreHealth.Direction, _ failure: ObjectFailure) {
        numbers.withLock { $0.failures[failure.kind, default: 0] += 1 }
        health.failed(direction, failure)
    }
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
    package var written = 0
    package var deleted = 0
    /// Entries not written because of their size (`floor`, `ceiling`, the limits of codec and store), or because
    /// encryption failed.
    package var notWritten = 0
    /// Entries not written because they were offered for the first time (`objects.write: on-second-hit`).
    package var firstSeen = 0
}
