import Core

/// What a process that is to be killed writes, and what is therefore allowed to be found afterwards: for each of a few
/// keys, any of the versions of its entry, whole.
package enum CrashScript {
    package static let keys = 48
    private static let largest = 40_000

    package static func key(_ index: Int) -> CacheKey {
        var random = SeededRandom(seed: UInt64(index))
        return CacheKey(random.next(), random.next(), random.next(), random.next())
    }

    package static func entry(_ index: Int, version: UInt64) -> Entry {
        var random = SeededRandom(seed: version &* 64 &+ UInt64(index))
        let facts = Entry.Facts(
            createdAt: 1_700_000_000_000, ttl: Int64.max / 2, dialect: .chat, origin: .whole)
        let count = Int.random(in: 0...largest, using: &random)
        let noise = (0..<count / 8 + 1).map { _ in random.next() }
        let content = noise.withUnsafeBytes { Bytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        return Entry(facts: facts, model: "\(index)", namespace: "\(version)", whole: content, stream: nil)
    }

    /// Whether an entry is one that was written under the key of `index`.
    package static func isGenuine(_ entry: Entry, _ index: Int) -> Bool {
        guard let version = UInt64(entry.namespace) else { return false }
        return entry.hasSameContent(as: self.entry(index, version: version))
    }
}
