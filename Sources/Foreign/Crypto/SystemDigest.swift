import CCrypto
import Core
package final class SystemDigest: Digesting, @unchecked Sendable {
    private let key: [UInt8]
    private let md: OpaquePointer
    package init(secret: [UInt8]) { key = secret; md = EVP_sha256() }
    package func sha256(_ bytes: UnsafeRawBufferPointer) -> CacheKey {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            EVP_Digest(bytes.baseAddress, bytes.count, out.baseAddress!.assumingMemoryBound(to: UInt8.self), nil, md, nil)
            return CacheKey(digest: UnsafeRawBufferPointer(out))
        }
    }
    package func hmac(_ bytes: UnsafeRawBufferPointer) -> CacheKey {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            HMAC(md, key, Int32(key.count), bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count, out.baseAddress!.assumingMemoryBound(to: UInt8.self), nil)
            return CacheKey(digest: UnsafeRawBufferPointer(out))
        }
    }
}
package struct SystemRandom { package static func bytes(_ n: Int) -> [UInt8] { (0..<n).map { _ in UInt8.random(in: 0...255) } } }
package func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool { a == b }
