import Core

/// Remembers which keys it was asked about, the latest `span` at least and twice as many at most.
struct Doorkeeper {
    /// About 5 MB when both generations are full.
    static let span = 1 << 17

    /// The first word of a key stands for it; two that share it would cost one write too many.
    private var young: Set<UInt64> = []
    private var old: Set<UInt64> = []

    /// Whether the key was asked about before; from now on it was.
    mutating func hasSeen(_ key: CacheKey) -> Bool {
        let isKnown = !young.insert(key.word0).inserted || old.contains(key.word0)
        if young.count >= Doorkeeper.span {
            old = young
            young = []
        }
        return isKnown
    }
}
