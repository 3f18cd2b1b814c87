import Core
import Synchronization
import Tiers

extension Engine {
    /// Brings answers from the lower tiers into memory, in the order given, until it is nearly full; how many came.
    /// Requests that arrive meanwhile go their own way. Stops when its task is cancelled.
    package func refill(_ keys: [CacheKey]) async -> Int {
        let rest = Rest(keys)
        let count = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<Engine.refillers { group.addTask { await self.refill(from: rest) } }
            return await group.reduce(0, +)
        }
        // The hottest came first, so that they would be the first to go.
        for key in keys.reversed() { _ = memory.lookup(key, now: clock.wall()) }
        return count
    }

    /// Few, so that requests hardly notice.
    private static let refillers = 2

    private func refill(from rest: Rest) async -> Int {
        var count = 0
        while !Task.isCancelled, memory.statistics.bytes < memory.capacity / 10 * 9,
            let key = rest.next()
        {
            if await refill(key) { count += 1 }
        }
        return count
    }

    private func refill(_ key: CacheKey) async -> Bool {
        guard memory.peek(key, now: clock.wall()) == nil else { return false }
        for tier in below {
            guard let entry = await tier.find(key), entry.facts.expiresAt > clock.wall(),
                !purges.covers(entry, under: key)
            else { continue }
            // Somebody may have asked for it meanwhile.
            guard memory.peek(key, now: clock.wall()) == nil else { return false }
            return [.stored, .replaced].contains(hold(entry, under: key, now: clock.wall()))
        }
        return false
    }
}

/// The keys that nobody has taken yet.
private final class Rest: Sendable {
    private let keys: Mutex<ArraySlice<CacheKey>>

    init(_ keys: [CacheKey]) { self.keys = Mutex(keys[...]) }

    func next() -> CacheKey? { keys.withLock { $0.popFirst() } }
}
