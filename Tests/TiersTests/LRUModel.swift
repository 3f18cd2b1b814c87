import Core

@testable import Tiers

/// Plain LRU as anyone would write it: a list from the newest to the oldest. The yardstick of `MemoryModelTests`.
struct LRUModel {
    let capacity: Int
    let retainStale: Int64
    private(set) var held: [(key: CacheKey, entry: Entry)] = []
    private(set) var evictions: [EvictionReason: Int] = [:]
    /// The most entries that were ever linked at once: their nodes stay.
    private var slots = 0

    private static let slotBytes = MemoryTier.overheadPerEntry(.lru)

    init(capacity: Int, retainStale: Int64) {
        self.capacity = capacity
        self.retainStale = retainStale
    }

    var bytes: Int {
        held.reduce(0) { $0 + LRUModel.charge($1.entry) } + max(0, slots - held.count - 1) * LRUModel.slotBytes
    }

    func peek(_ key: CacheKey, now: Int64) -> Entry? {
        held.first { $0.key == key && !isDead($0.entry, now: now) }?.entry
    }

    mutating func lookup(_ key: CacheKey, now: Int64) -> Entry? {
        guard let entry = take(key) else { return nil }
        guard !isDead(entry, now: now) else {
            evictions[.expired, default: 0] += 1
            return nil
        }
        held.insert((key, entry), at: 0)
        return entry
    }

    mutating func insert(_ entry: Entry, under key: CacheKey, now: Int64) -> InsertOutcome {
        let replaced = take(key) != nil
        if replaced { evictions[.replaced, default: 0] += 1 }
        guard LRUModel.charge(entry) <= capacity / 4 else { return .refused(.tooLarge) }
        guard !isDead(entry, now: now) else { return .refused(.expired) }
        held.insert((key, entry), at: 0)
        slots = max(slots, held.count)
        while bytes > capacity {
            let oldest = held.removeLast()
            evictions[isDead(oldest.entry, now: now) ? .expired : .capacity, default: 0] += 1
        }
        return replaced ? .replaced : .stored
    }

    mutating func remove(_ key: CacheKey) -> Bool { removeAll { held, _ in held == key } == 1 }

    mutating func removeAll(where matches: (CacheKey, Entry) -> Bool) -> Int {
        removeAll(.purged, where: matches)
    }

    mutating func sweep(now: Int64) {
        _ = removeAll(.expired) { [self] _, entry in isDead(entry, now: now) }
    }

    private mutating func removeAll(_ reason: EvictionReason, where matches: (CacheKey, Entry) -> Bool) -> Int {
        let before = held.count
        held.removeAll { matches($0.key, $0.entry) }
        evictions[reason, default: 0] += before - held.count
        return before - held.count
    }

    private mutating func take(_ key: CacheKey) -> Entry? {
        guard let position = held.firstIndex(where: { $0.key == key }) else { return nil }
        return held.remove(at: position).entry
    }

    /// Lifetime and retention both ways from its creation.
    private func isDead(_ entry: Entry, now: Int64) -> Bool {
        let age = now - entry.facts.createdAt
        let life = entry.facts.ttl + retainStale
        return age >= life || age < -life
    }

    private static func charge(_ entry: Entry) -> Int { entry.byteCount + slotBytes }
}
