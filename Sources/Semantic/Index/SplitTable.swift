import Core

/// A dictionary in parts, so that growing never moves all of it at once under a lock.
struct SplitTable<Value> {
    private var parts: [[CacheKey: Value]]
    private(set) var count = 0

    init() { parts = Array(repeating: [:], count: 64) }

    subscript(key: CacheKey) -> Value? {
        get { parts[SplitTable.part(of: key)][key] }
        set {
            let part = SplitTable.part(of: key)
            let before = parts[part].count
            parts[part][key] = newValue
            count += parts[part].count - before
        }
    }

    /// By another word than the one that dictionaries hash.
    private static func part(of key: CacheKey) -> Int { Int(key.word3 & 63) }
}
