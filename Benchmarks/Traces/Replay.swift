import Core
import TestKit
import Tiers

/// Runs traces through the memory tier as the engine would: look up, and store after a miss.
struct Replay {
    private let keys: [CacheKey]
    private let trace: Trace

    init(_ trace: Trace) {
        self.trace = trace
        // Keys are digests in life, so the numbers of the trace are spread likewise.
        keys = (0..<trace.distinct).map { number in
            var random = SeededRandom(seed: UInt64(number))
            return CacheKey(random.next(), random.next(), random.next(), random.next())
        }
    }

    /// The share of hits with room for exactly `capacity` entries of equal size.
    func hitRate(_ eviction: Settings.Eviction, entries capacity: Int) -> Double {
        let entry = Replay.entry(of: Replay.equalSize)
        let charge = entry.byteCount + MemoryTier.overheadPerEntry(eviction)
        return hitRate(eviction, bytes: capacity * charge) { _ in entry }
    }

    /// The share of hits with room for so many bytes, entries having the sizes of the trace.
    func hitRate(_ eviction: Settings.Eviction, bytes capacity: Int) -> Double {
        var bySize: [Int: Entry] = [:]
        return hitRate(eviction, bytes: capacity) { position in
            let size = trace.sizes[position]
            if let entry = bySize[size] { return entry }
            let entry = Replay.entry(of: size)
            bySize[size] = entry
            return entry
        }
    }

    private func hitRate(_ eviction: Settings.Eviction, bytes: Int, entry: (Int) -> Entry) -> Double {
        let tier = MemoryTier(
            capacity: bytes, eviction: eviction, shards: 1, retainStale: 0, clock: StandingClock())
        var hits = 0
        for (position, request) in trace.requests.enumerated() {
            if tier.lookup(keys[request], now: 0) != nil {
                hits += 1
            } else {
                tier.insert(entry(position), under: keys[request], now: 0)
            }
        }
        return Double(hits) / Double(max(1, trace.requests.count))
    }

    private static let equalSize = 1024

    /// Entries of one size share their memory, because the tier looks only at what they say they cost.
    private static func entry(of size: Int) -> Entry {
        let facts = Entry.Facts(createdAt: 0, ttl: Int64.max, dialect: .chat, origin: .whole)
        return Entry(facts: facts, whole: Bytes(capacity: size) { _ in size }, stream: nil)
    }
}

/// Traces are replayed in no time at all.
private struct StandingClock: Clock {
    func monotonic() -> Int64 { 0 }
    func wall() -> Int64 { 0 }
}
