// What the lower tiers need from the outside to turn entries into bytes and bytes into entries.

/// Lossless compression of one block whose original size is kept beside it.
package protocol Compressing: Sendable {
    /// Compresses into `target`; how many bytes it took, nil where they do not fit.
    func compress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int?
    /// Whether `source` is well formed and fills `target` exactly. Reads and writes nothing outside the two, whatever
    /// `source` is.
    func decompress(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool
    /// The most bytes that `count` compressed bytes can stand for.
    func largestOriginal(of count: Int) -> Int
}

/// A hash against accident, not against an adversary.
package protocol Checksumming: Sendable {
    func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64
}

/// Authenticated encryption under one of several keys: the first seals, all of them open, so that keys can be changed
/// while old entries live.
package protocol Sealing: Sendable {
    /// Names the key that seals; it says nothing about the key itself.
    var keyID: UInt64 { get }
    /// Encrypts `content` in place. Writes a nonce that was never used before and a tag that covers `content` and
    /// `associated`. Whether it could.
    func seal(
        _ content: UnsafeMutableRawBufferPointer, associated: UnsafeRawBufferPointer,
        nonce: UnsafeMutableRawBufferPointer, tag: UnsafeMutableRawBufferPointer
    ) -> Bool
    /// Decrypts `content` into `target`, which has its size.
    func open(
        _ content: UnsafeRawBufferPointer, keyID: UInt64, associated: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer, tag: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> SealOpening
}

package enum SealOpening: Sendable, Equatable {
    case opened
    case unknownKey
    /// The content, the nonce, the tag or the associated bytes are not those that were sealed together.
    case forged
}

/// The sizes of AES-GCM with its recommended nonce (NIST SP 800-38D), in bytes.
package enum SealSize {
    package static let key = 32
    package static let nonce = 12
    package static let tag = 16
}
