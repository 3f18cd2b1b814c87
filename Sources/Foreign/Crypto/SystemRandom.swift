import CCrypto
import Core

/// Numbers that nobody can foretell, from OpenSSL's generator; from any thread.
package struct SystemRandom: RandomSource {
    package init() {}

    package func next() -> UInt64 {
        var number: UInt64 = 0
        withUnsafeMutableBytes(of: &number) { SystemRandom.fill($0) }
        return number
    }

    /// Fresh bytes, for secrets.
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    private static func fill(_ target: UnsafeMutableRawBufferPointer) {
        let status = RAND_bytes(target.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(target.count))
        // It fails where the kernel gives no randomness; there is no safe way to go on with a guessable secret.
        precondition(status == 1, "SystemRandom: the system has no random numbers to give")
    }
}

/// Compares a secret in a time that does not depend on where the difference is; a different length is told at once.
package func constantTimeEqual(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
    let (a, b) = (Array(a), Array(b))
    return a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
}
