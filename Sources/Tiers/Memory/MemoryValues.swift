import Core

/// How the memory tier chooses what to give up: the setting `memory.eviction`.
package enum Eviction: String, Sendable, CaseIterable {
    /// The least recently used entry goes first.
    case lru
    /// Recency lists behind a TinyLFU admission filter: an entry stays only if it is asked for at least as often
    /// as what it would displace.
    case tinylfu
}

/// What became of an entry that was offered to the memory tier.
package enum InsertOutcome: Sendable, Equatable {
    case stored
    /// Stored in the place of an entry under the same key.
    case replaced
    /// Not stored. What the key held is gone all the same: it was to be replaced, so it must not be served.
    case refused(Refusal)

    package enum Refusal: Sendable, Equatable {
        /// Larger than `MemoryTier.largestEntry`.
        case tooLarge
        /// Asked for less often than what it would have displaced.
        case admission
        /// Beyond its lifetime and its retention already.
        case expired
    }
}

/// Why an entry left the memory tier: the metric label `reason` of `refrain_evictions_total`.
package enum EvictionReason: String, Sendable, CaseIterable {
    /// Room was needed for another entry.
    case capacity
    /// It was beyond its lifetime and its retention.
    case expired
    /// A newer entry came under the same key, or one that could not be kept.
    case replaced
    /// It was removed by key or by a purge.
    case purged
    /// TinyLFU preferred what it would have displaced.
    case admission
}

/// A snapshot of the memory tier.
package struct MemoryStatistics: Sendable, Equatable {
    package var entries = 0
    /// Entries with their share of the tables, and tables that stand empty; never above the capacity.
    package var bytes = 0
    /// How many entries left, by reason, since the tier was made.
    package var capacity = 0
    package var expired = 0
    package var replaced = 0
    package var purged = 0
    package var admission = 0

    package init() {}

    package func evictions(_ reason: EvictionReason) -> Int {
        switch reason {
        case .capacity: capacity
        case .expired: expired
        case .replaced: replaced
        case .purged: purged
        case .admission: admission
        }
    }

    mutating func count(_ reason: EvictionReason) {
        switch reason {
        case .capacity: capacity += 1
        case .expired: expired += 1
        case .replaced: replaced += 1
        case .purged: purged += 1
        case .admission: admission += 1
        }
    }

    mutating func add(_ other: MemoryStatistics) {
        entries += other.entries
        bytes += other.bytes
        capacity += other.capacity
        expired += other.expired
        replaced += other.replaced
        purged += other.purged
        admission += other.admission
    }
}
