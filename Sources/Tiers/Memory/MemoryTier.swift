import Core
import Synchronization

/// The first tier: entries in this process, bounded by bytes, found without waiting.
///
/// A key belongs to one shard, and a shard is a hash table and recency lists over one slab of nodes behind a lock
/// that is held for well under a microsecond on a hit. Entries are freed after unlocking.
///
/// Wall time is an argument and is only ever compared with what entries carry, so a clock that is set back loses
/// nothing; see `MemoryShard.isDead` for the entries that it puts into the future.
package final class MemoryTier: Sendable {
    private let shards: [Shard]
    private let shardShift: UInt64
    private let clock: any Clock
    /// The largest `Entry.byteCount` that is taken: a quarter of a shard.
    package let largestEntry: Int
    /// Bytes it may hold.
    package let capacity: Int

    private final class Shard: Sendable {
        let state: Mutex<MemoryShard>
        init(capacity: Int, eviction: Settings.Eviction, retainStale: Int64) {
            state = Mutex(MemoryShard(capacity: capacity, eviction: eviction, retainStale: retainStale))
        }
    }

    package static let maximumShards = 256
    /// How many entries a purge or a sweep looks at before it lets others use the shard.
    private static let step = 64

    /// - Parameters:
    ///   - capacity: in bytes, shared evenly by the shards.
    ///   - shards: rounded down to a power of two, between 1 and `maximumShards`.
    ///   - retainStale: for how many milliseconds an entry is kept beyond its lifetime; negative counts as 0.
    ///   - clock: asked by the asynchronous functions alone.
    package init(capacity: Int, eviction: Settings.Eviction, shards count: Int, retainStale: Int64, clock: any Clock) {
        let bounded = max(1, min(count, MemoryTier.maximumShards))
        let bits = Int.bitWidth - 1 - bounded.leadingZeroBitCount
        self.capacity = max(0, capacity)
        let share = max(0, capacity) >> bits
        self.shards = (0..<(1 << bits)).map { _ in
            Shard(capacity: share, eviction: eviction, retainStale: max(0, retainStale))
        }
        shardShift = UInt64(64 - bits)
        self.clock = clock
        largestEntry = max(0, shards[0].state.withLock { $0.largestCharge - $0.slotBytes })
    }

    /// What an entry costs in this tier beside its `byteCount`, in bytes.
    package static func overheadPerEntry(_ eviction: Settings.Eviction) -> Int { MemoryShard.slotBytes(eviction) }

    /// The entry under a key, also when it is beyond its lifetime: the caller judges freshness. nil once it is
    /// beyond its retention too. `now` is in milliseconds since 1970. Allocates nothing.
    package func lookup(_ key: CacheKey, now: Int64) -> Entry? {
        let result = shard(of: key).state.withLock { $0.lookup(key, now: now) }
        return result.found
    }

    /// Like `lookup`, but does not count as a use: for looking again inside a flight.
    package func peek(_ key: CacheKey, now: Int64) -> Entry? {
        shard(of: key).state.withLock { $0.peek(key, now: now) }
    }

    /// Offers an entry. `now` is in milliseconds since 1970. `isWanted` is asked under the lock, so whoever makes it
    /// false and then looks through the tier finds every entry that came in before; it must not use this tier.
    @discardableResult
    package func insert(
        _ entry: Entry, under key: CacheKey, now: Int64, ifWanted isWanted: () -> Bool = { true }
    ) -> InsertOutcome {
        var released: [Entry] = []
        defer { withExtendedLifetime(released) {} }
        return shard(of: key).state.withLock { shard in
            guard isWanted() else { return .refused(.unwanted) }
            return shard.insert(entry, under: key, now: now, released: &released)
        }
    }

    /// Whether something was held.
    @discardableResult
    package func removeNow(_ key: CacheKey) -> Bool {
        let released = shard(of: key).state.withLock { $0.remove(key) }
        return withExtendedLifetime(released) { released != nil }
    }

    /// Removes everything; entries stored meanwhile may stay.
    @discardableResult
    package func removeAll() -> Int { removeAll { _, _ in true } }

    /// Removes what the predicate accepts and returns how many. The predicate runs unlocked and may be slow. Entries
    /// stored or replaced meanwhile may be missed: a purge must make them unservable by other means.
    @discardableResult
    package func removeAll(where matches: (CacheKey, Entry) -> Bool) -> Int {
        var removed = 0
        var found: [(key: CacheKey, entry: Entry)] = []
        found.reserveCapacity(MemoryTier.step)
        for shard in shards {
            var position: Int? = 0
            while let start = position {
                found.removeAll(keepingCapacity: true)
                position = shard.state.withLock { $0.collect(from: start, count: MemoryTier.step, into: &found) }
                for (key, entry) in found where matches(key, entry) {
                    let released = shard.state.withLock { $0.remove(key, holding: entry) }
                    if released != nil { removed += 1 }
                }
            }
        }
        return removed
    }

    /// Looks at up to `budget` nodes of every shard, going on where the last sweep stopped, and removes those beyond
    /// their retention. `now` is in milliseconds since 1970.
    package func sweep(now: Int64, budget: Int) {
        for shard in shards {
            var examined = 0
            var limit = budget
            while examined < limit {
                var released: [Entry] = []
                let part = min(limit - examined, MemoryTier.step)
                let slots = shard.state.withLock { $0.sweep(now: now, budget: part, released: &released) }
                withExtendedLifetime(released) {}
                limit = min(limit, slots)
                examined += part
            }
        }
    }

    /// The keys that would be given up last, the hottest of each shard first.
    package func hottest(_ limit: Int) -> [CacheKey] {
        guard limit > 0 else { return [] }
        let share = (limit + shards.count - 1) / shards.count
        let ranked = shards.map { $0.state.withLock { $0.hottest(share) } }
        var keys: [CacheKey] = []
        for rank in 0..<share {
            for list in ranked where rank < list.count && keys.count < limit { keys.append(list[rank]) }
        }
        return keys
    }

    package var statistics: MemoryStatistics {
        var sum = MemoryStatistics()
        for shard in shards { sum.add(shard.state.withLock { $0.snapshot }) }
        return sum
    }

    /// What is wrong with the structure, in words; empty when nothing is. For tests: it locks out everyone else.
    func checkInvariants() -> [String] {
        shards.flatMap { $0.state.withLock { $0.checkInvariants() } }
    }

    /// By the topmost bits of the second word; the table uses the first word, the sketch the others.
    private func shard(of key: CacheKey) -> Shard {
        shards[Int(truncatingIfNeeded: key.word1 >> shardShift)]
    }
}

extension MemoryTier: Tier {
    package var name: TierName { .memory }

    package func look(for key: CacheKey) async -> TierFinding {
        lookup(key, now: clock.wall()).map { .held($0) } ?? .nothing
    }

    @discardableResult
    package func store(_ entry: Entry, under key: CacheKey) async -> StoreResult {
        switch insert(entry, under: key, now: clock.wall()) {
        case .stored, .replaced: .stored
        case .refused: .refused
        }
    }

    package func remove(_ key: CacheKey) async -> Bool { removeNow(key) }
}
