import Core

/// A digest for tests: four FNV-1a hashes from different starts, good against accident and against nothing else.
package struct MixingDigest: Digesting {
    private let secret: UInt64

    package init(secret: UInt64 = 0) { self.secret = secret }

    package func sha256(_ bytes: UnsafeRawBufferPointer) -> CacheKey { mix(bytes, 0) }

    package func hmac(_ bytes: UnsafeRawBufferPointer) -> CacheKey { mix(bytes, secret &+ 1) }

    private func mix(_ bytes: UnsafeRawBufferPointer, _ salt: UInt64) -> CacheKey {
        func hash(_ lane: UInt64) -> UInt64 {
            bytes.reduce(0xCBF2_9CE4_8422_2325 ^ lane ^ salt << 8) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        }
        return CacheKey(hash(1), hash(2), hash(3), hash(4))
    }
}
