import Core
import Synchronization

/// Counts purges, so that an answer which was asked for before one is not kept after it.
///
/// Keys share counters by their first bits: a purge may keep out answers under way that it did not mean, but it never
/// misses one that it did. A purge counts first and removes then; whoever keeps an answer reads again afterwards.
final class PurgeCounts: Sendable {
    private static let stripes = 64
    private let everything = Atomic<UInt64>(0)
    private let byKey = InlineArray<64, Atomic<UInt64>> { _ in Atomic(0) }

    /// Differs from an earlier reading when a purge that covers the key came between.
    func reading(of key: CacheKey) -> UInt64 {
        everything.load(ordering: .acquiring) &+ byKey[stripe(of: key)].load(ordering: .acquiring)
    }

    func count(_ key: CacheKey) { byKey[stripe(of: key)].wrappingAdd(1, ordering: .acquiringAndReleasing) }

    func countAll() { everything.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    private func stripe(of key: CacheKey) -> Int { Int(truncatingIfNeeded: key.word2) & (PurgeCounts.stripes - 1) }
}
