import Core
import Synchronization

/// The second tier: entries in a store that the sidecars of a deployment share, found within milliseconds or not at all.
///
/// What is not a whole entry of the key that was asked for is a counted miss and deleted. The store lets entries go when
/// their lifetime and retention are over. While the breaker is open nothing is asked.
package final class RedisTier: Tier {
    package struct Options: Sendable {
        /// What the names of all entries begin with. No `{`, so that a cluster spreads them over all of its slots.
        package var prefix = "refrain:v1:"
        /// How long a look-up may take, in nanoseconds.
        package var deadline = 20 * Duration64.nanosecondsPerMillisecond
        /// How long a write or a removal may take, in nanoseconds; nobody's answer waits for them.
        package var writeDeadline = Duration64.nanosecondsPerSecond
        /// For how long an entry is kept beyond its lifetime, in milliseconds; negative counts as 0.
        package var retainStale: Int64 = 0
        package var breaker = Breaker.Options()

        package init() {}
    }

    /// Ten years, in milliseconds: far from where Redis refuses an expiry.
    private static let longestExpiry: Int64 = 10 * 365 * 86_400_000

    /// What the log knows of a server that refuses commands.
    private struct Refusal {
        /// The first word of the server's message, nil while all is well.
        var kind: String?
        /// Writes in a row that were taken since.
        var successes = 0
    }

    /// So many writes end a refusal: a server that is nearly full takes one now and then.
    private static let successesUntilWell = 8

    private let store: any KeyValueStore
    private let codec: EntryCodec
    private let options: Options
    private let clock: any Clock
    private let log: any Log
    private let breaker: SharedBreaker
    private let numbers = Mutex(RedisTierStatistics())
    private let refusal = Mutex(Refusal())

    /// - Parameter breaker: one that is shared with others who call the same server; nil for one of its own.
    package init(
        store: any KeyValueStore, codec: EntryCodec, options: Options, clock: any Clock, log: any Log,
        breaker: SharedBreaker? = nil
    ) {
        precondition(!options.prefix.contains("{"), "RedisTier: a hash tag would put all entries into one slot")
        self.store = store
        self.codec = codec
        self.options = options
        self.clock = clock
        self.log = log
        self.breaker =
            breaker ?? SharedBreaker(target: "redis", options: options.breaker, clock: clock, log: log)
    }

    package var name: TierName { .redis }
    package var statistics: RedisTierStatistics { numbers.withLock { $0 } }
    package var breakerState: BreakerState { breaker.state }

    // MARK: Tier

    package func look(for key: CacheKey) async -> TierFinding {
        let name = storedName(of: key)
        let deadline = clock.monotonic() + options.deadline
        guard
            let answer = await call({ store throws(KeyValueFailure) in try await store.get(name, deadline: deadline) })
        else { return .unknown }
        guard let bytes = answer else {
            numbers.withLock { $0.misses += 1 }
            return .nothing
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
        let result = await write(entry, under: key)
        numbers.withLock { $0.writes[result, default: 0] += 1 }
        return result
    }

    @discardableResult
    package func remove(_ key: CacheKey) async -> Bool {
        await discard(storedName(of: key), deadline: clock.monotonic() + options.writeDeadline)
    }

    // MARK: Steps

    private func write(_ entry: Entry, under key: CacheKey) async -> StoreResult {
        let name = storedName(of: key)
        let deadline = clock.monotonic() + options.writeDeadline
        let lifetime = expiry(of: entry.facts)
        guard let lifetime, let bytes = try? codec.encode(entry, under: key) else {
            // It was to be replaced, so what is held must not be served any more.
            numbers.withLock { $0.notWritten += 1 }
            await discard(name, deadline: deadline)
            return .refused
        }
        var isRefused = false
        let isWritten: Void? = await call({ store throws(KeyValueFailure) in
            do throws(KeyValueFailure) {
                try await store.setPX(name, bytes, milliseconds: lifetime, deadline: deadline)
            } catch {
                if case .server = error { isRefused = true }
                throw error
            }
        })
        guard isWritten != nil else { return isRefused ? .refused : .failed }
        refusal.withLock { refusal in
            refusal.successes += 1
            if refusal.successes >= RedisTier.successesUntilWell { refusal.kind = nil }
        }
        return .stored
    }

    /// The prefix and 64 hexadecimal digits.
    private func storedName(of key: CacheKey) -> Bytes {
        let prefix = options.prefix.utf8
        return Bytes(capacity: prefix.count + 64) { target in
            target.copyBytes(from: prefix)
            key.writeHex(into: UnsafeMutableRawBufferPointer(rebasing: target[prefix.count...]))
            return prefix.count + 64
        }
    }

    /// How long the store is to keep an entry, in milliseconds; nil where it is of no use any more.
    private func expiry(of facts: Entry.Facts) -> Int64? {
        let now = clock.wall()
        let retainStale = max(0, options.retainStale)
        guard !facts.isDead(now: now, retainStale: retainStale) else { return nil }
        let (life, isEndless) = max(0, facts.ttl).addingReportingOverflow(retainStale)
        guard !isEndless, life < RedisTier.longestExpiry else { return RedisTier.longestExpiry }
        return min(RedisTier.longestExpiry, life - (now - facts.createdAt))
    }

    @discardableResult
    private func discard(_ name: Bytes, deadline: Int64) async -> Bool {
        let isDeleted = await call({ store throws(KeyValueFailure) in try await store.delete(name, deadline: deadline) }
        )
        if isDeleted == true { numbers.withLock { $0.deleted += 1 } }
        return isDeleted == true
    }

    /// nil where the store was not asked or failed, which is counted.
    private func call<Result>(
        _ body: (any KeyValueStore) async throws(KeyValueFailure) -> Result
    ) async -> Result? {
        do throws(KeyValueFailure) {
            let result = try await breaker.call { () throws(KeyValueFailure) in try await body(store) }
            if result == nil { numbers.withLock { $0.notAsked += 1 } }
            return result
        } catch {
            numbers.withLock { $0.failures[error.word, default: 0] += 1 }
            if case .server(let message) = error { report(message) }
            return nil
        }
    }

    /// One line for each kind of refusal until all is well again: a full server refuses every write.
    private func report(_ message: String) {
        let kind = String(message.prefix { $0 != " " })
        let isNews = refusal.withLock { refusal in
            defer { refusal = Refusal(kind: kind) }
            return refusal.kind != kind
        }
        if isNews { log.write(.warning, "redis-refuses", LogField("message", message)) }
    }
}

/// What the Redis tier did since it was made.
package struct RedisTierStatistics: Sendable, Equatable {
    package var hits = 0
    /// Look-ups that found nothing.
    package var misses = 0
    /// Look-ups that found what was beyond its retention.
    package var expired = 0
    /// Look-ups that found what may not be served.
    package var refused: [EntryFailure: Int] = [:]
    /// Calls that failed, look-ups or others, by `KeyValueFailure.word`.
    package var failures: [String: Int] = [:]
    /// Calls that were not made because the breaker was open.
    package var notAsked = 0
    package var writes: [StoreResult: Int] = [:]
    package var deleted = 0
    /// Entries not written because they were dead, too large, or because encryption failed.
    package var notWritten = 0
}
