import Core

/// The keys that were asked for most when a sidecar stopped, in the object store, so that the next one can begin with
/// them. The last one to stop decides: what is popular with one sidecar of a deployment is with the others.
package struct HottestKeys: Sendable {
    /// ```
    /// 4 magic · 4 number of keys · 32 each · 8 checksum over everything before it
    /// ```
    private static let magic: UInt32 = 0x5246_484B  // "RFHK"
    private static let head = 4 + 4
    private static let checksum = 8
    /// Keys that are noted at most.
    package static let most = 1_000_000

    private let store: any ObjectStore
    private let checksum: any Checksumming
    private let clock: any Clock
    private let name: ObjectName

    package init(store: any ObjectStore, checksum: any Checksumming, clock: any Clock) {
        self.store = store
        self.checksum = checksum
        self.clock = clock
        guard let name = ObjectName("hottest/v1") else { preconditionFailure("HottestKeys: the name is well formed") }
        self.name = name
    }

    /// Notes keys, the hottest first. `limit` is in nanoseconds.
    package func save(_ keys: [CacheKey], limit: Int64) async throws(ObjectFailure) {
        try await store.put(name, encode(keys), deadline: clock.monotonic() + limit)
    }

    /// What was noted last, the hottest first; none where nothing was, or it cannot be read. `limit` is in nanoseconds.
    package func load(limit: Int64) async throws(ObjectFailure) -> [CacheKey] {
        let largest = HottestKeys.head + HottestKeys.most * 32 + HottestKeys.checksum
        let bytes = try await store.get(name, limit: largest, deadline: clock.monotonic() + limit)
        return bytes.flatMap { decode($0) } ?? []
    }

    private func encode(_ keys: [CacheKey]) -> Bytes {
        let keys = keys.prefix(HottestKeys.most)
        let size = HottestKeys.head + keys.count * 32 + HottestKeys.checksum
        return Bytes(capacity: size) { target in
            var writer = ByteWriter(target)
            writer.put(HottestKeys.magic)
            writer.put(UInt32(keys.count))
            for key in keys {
                writer.put(key.word0)
                writer.put(key.word1)
                writer.put(key.word2)
                writer.put(key.word3)
            }
            writer.put(checksum.checksum(UnsafeRawBufferPointer(rebasing: target[..<writer.count])))
            return writer.count
        }
    }

    /// nil where the bytes are not what `encode` wrote.
    private func decode(_ bytes: Bytes) -> [CacheKey]? {
        bytes.withUnsafeBytes { view in
            var reader = ByteReader(view)
            guard let magic = try? reader.number(UInt32.self), magic == HottestKeys.magic,
                let count = try? reader.number(UInt32.self),
                view.count == HottestKeys.head + Int(count) * 32 + HottestKeys.checksum
            else { return nil }
            let covered = view.count - HottestKeys.checksum
            var keys: [CacheKey] = []
            keys.reserveCapacity(Int(count))
            for _ in 0..<count {
                guard let digest = try? reader.take(32) else { return nil }
                keys.append(CacheKey(digest: digest))
            }
            let sum = checksum.checksum(UnsafeRawBufferPointer(rebasing: view[..<covered]))
            guard let written = try? reader.number(UInt64.self), written == sum else { return nil }
            return keys
        }
    }
}
