import CCrypto
import Core

/// AES-256-GCM (NIST SP 800-38D) on OpenSSL, with a random nonce of 96 bits for each entry.
///
/// Random nonces are safe for 2³² entries under one key (section 8.3): a sidecar that writes a hundred a second reaches
/// that after a year, so keys are to be changed more often than that.
///
/// Sendable because everything is written in `init` alone: the cipher is a fetched, reference-counted constant of
/// OpenSSL that any thread may use, and each call has a context of its own.
package final class EntrySeal: Sealing, @unchecked Sendable {
    private struct Key {
        var id: UInt64
        var bytes: [UInt8]
    }

    package struct UnusableKeys: Error, CustomStringConvertible {
        package let description: String
    }

    private let cipher: OpaquePointer
    private let keys: [Key]
    private let random: any RandomSource

    /// - Parameter keys: 32 bytes each; the first one seals, all of them open.
    package init(keys: [[UInt8]], random: any RandomSource = SystemRandom()) throws(UnusableKeys) {
        guard !keys.isEmpty else { throw UnusableKeys(description: "there is no encryption key") }
        guard keys.allSatisfy({ $0.count == SealSize.key }) else {
            throw UnusableKeys(description: "an encryption key must have \(SealSize.key) bytes")
        }
        let named = keys.map { Key(id: EntrySeal.identifier(of: $0), bytes: $0) }
        guard Set(named.map(\.id)).count == named.count else {
            throw UnusableKeys(description: "the same encryption key is given twice")
        }
        guard let cipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
            throw UnusableKeys(description: "OpenSSL has no AES-256-GCM")
        }
        self.cipher = cipher
        self.keys = named
        self.random = random
    }

    deinit { EVP_CIPHER_free(cipher) }

    package var keyID: UInt64 { keys[0].id }

    /// From a one-way function of the key, so that it can stand in the clear.
    private static func identifier(of key: [UInt8]) -> UInt64 {
        Array("refrain entry key".utf8).withUnsafeBytes { SystemDigest(secret: key).hmac($0).word0 }
    }

    package func seal(
        _ content: UnsafeMutableRawBufferPointer, associated: UnsafeRawBufferPointer,
        nonce: UnsafeMutableRawBufferPointer, tag: UnsafeMutableRawBufferPointer
    ) -> Bool {
        precondition(nonce.count == SealSize.nonce && tag.count == SealSize.tag, "EntrySeal: sizes of AES-GCM")
        withUnsafeBytes(of: (random.next(), random.next())) {
            nonce.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<SealSize.nonce]))
        }
        return withContext(keys[0], encrypts: true, nonce: UnsafeRawBufferPointer(nonce)) { context in
            EntrySeal.run(context, UnsafeRawBufferPointer(content), associated: associated, into: content)
                && EntrySeal.finish(context)
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CInt(tag.count), tag.baseAddress) == 1
        }
    }

    package func open(
        _ content: UnsafeRawBufferPointer, keyID: UInt64, associated: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer, tag: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> SealOpening {
        precondition(nonce.count == SealSize.nonce && tag.count == SealSize.tag, "EntrySeal: sizes of AES-GCM")
        precondition(target.count == content.count, "EntrySeal: the target has the content's size")
        guard let key = keys.first(where: { $0.id == keyID }) else { return .unknownKey }
        // OpenSSL takes the tag as memory that it may write to.
        var tag = Array(tag)
        let isGenuine = withContext(key, encrypts: false, nonce: nonce) { context in
            EntrySeal.run(context, content, associated: associated, into: target)
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CInt(tag.count), &tag) == 1
                && EntrySeal.finish(context)
        }
        return isGenuine ? .opened : .forged
    }

    private func withContext(
        _ key: Key, encrypts: Bool, nonce: UnsafeRawBufferPointer, _ body: (OpaquePointer) -> Bool
    ) -> Bool {
        guard let context = EVP_CIPHER_CTX_new() else { return false }
        defer { EVP_CIPHER_CTX_free(context) }
        let start = nonce.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return EVP_CipherInit_ex2(context, cipher, key.bytes, start, encrypts ? 1 : 0, nil) == 1 && body(context)
    }

    /// Authenticates `associated`, then codes `source` into `target`, which may be the same memory.
    private static func run(
        _ context: OpaquePointer, _ source: UnsafeRawBufferPointer, associated: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let count = CInt(exactly: source.count), let head = CInt(exactly: associated.count) else { return false }
        var written: CInt = 0
        func update(_ output: UnsafeMutableRawPointer?, _ input: UnsafeRawBufferPointer, _ count: CInt) -> Bool {
            EVP_CipherUpdate(
                context, output?.assumingMemoryBound(to: UInt8.self), &written,
                input.baseAddress?.assumingMemoryBound(to: UInt8.self), count) == 1
        }
        return update(nil, associated, head) && update(target.baseAddress, source, count) && written == count
    }

    /// GCM has nothing left to write at the end, but the interface asks for a place.
    private static func finish(_ context: OpaquePointer) -> Bool {
        var rest: (UInt64, UInt64) = (0, 0)
        var written: CInt = 0
        return withUnsafeMutableBytes(of: &rest) {
            EVP_CipherFinal_ex(context, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), &written) == 1
        }
    }
}
