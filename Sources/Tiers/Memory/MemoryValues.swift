import Core

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
        /// The caller did not want it any more; what the key held stays.
        case unwanted
    }
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
