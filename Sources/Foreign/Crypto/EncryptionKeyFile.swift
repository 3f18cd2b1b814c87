import Core

extension EncryptionKeySource {
    /// More than so many keys and remarks take, in bytes.
    private static let longestFile = 64 << 10

    /// The keys themselves, read from their file where they stand in one.
    package func load() throws(EncryptionKeys.Unusable) -> EncryptionKeys {
        switch self {
        case .given(let keys): return keys
        case .file(let path):
            do {
                let bytes = try InputFile.read(path, limit: EncryptionKeySource.longestFile)
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw EncryptionKeys.Unusable(description: "\(path) is not text")
                }
                return try EncryptionKeys(lines: text)
            } catch let error as EncryptionKeys.Invalid {
                throw EncryptionKeys.Unusable(description: "\(path): \(error)")
            } catch {
                throw EncryptionKeys.Unusable(description: "\(error)")
            }
        }
    }
}

extension EncryptionKeys {
    /// Why there are no keys to be had; for people.
    package struct Unusable: Error, Sendable, CustomStringConvertible {
        package let description: String
    }
}
