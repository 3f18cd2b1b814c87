/// Why bytes are not a record that may be taken in.
package enum RecordFault: String, Error, Sendable, CaseIterable {
    /// Ends before the record does.
    case tooShort = "too-short"
    /// Does not begin as a record does.
    case foreign
    /// Written by another version.
    case otherVersion = "other-version"
    /// Made by who compares texts in another way: its vectors mean something else.
    case otherMatcher = "other-matcher"
    /// The checksum, or something under it, is not what it must be.
    case corrupt
    /// Not encrypted, although records must be.
    case unsealed
    /// Encrypted with a key that is not in the list.
    case unknownEncryptionKey = "unknown-encryption-key"
    /// Encrypted with a known key, but changed since.
    case forged
    /// Larger than a record may be.
    case tooLarge = "too-large"

    package var word: String { rawValue }
}
