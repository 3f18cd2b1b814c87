/// Why bytes are not an entry that may be served. Each is a miss.
package enum EntryFailure: String, Error, Sendable, CaseIterable {
    /// Ends before the entry does.
    case tooShort = "too-short"
    /// Does not begin as an entry does.
    case foreign
    /// Written by a later version.
    case futureVersion = "future-version"
    /// The checksum, or something under it, is not what it must be.
    case corrupt
    /// A whole entry, but of another cache key.
    case wrongKey = "wrong-key"
    /// Not encrypted, although entries must be.
    case unsealed
    /// Encrypted with a key that is not in the list.
    case unknownEncryptionKey = "unknown-encryption-key"
    /// Encrypted with a known key, but changed since.
    case forged
    /// Larger than the reader takes.
    case tooLarge = "too-large"

    package var word: String { rawValue }

    /// Whether the bytes are of no use to anybody. An entry under an unknown encryption key, or one that is too large,
    /// may be good for another sidecar, which has the new key already or a higher limit.
    package var condemns: Bool { self != .unknownEncryptionKey && self != .tooLarge }
}

/// Why an entry was not turned into bytes.
package enum EncodeFailure: String, Error, Sendable, CaseIterable {
    /// Larger than readers take.
    case tooLarge = "too-large"
    /// The encryption library failed.
    case unsealable
}
