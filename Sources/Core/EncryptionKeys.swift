/// The keys that entries of the lower tiers are encrypted with: the first seals, all of them open.
///
/// They print as stars wherever they are interpolated, dumped or mirrored.
package struct EncryptionKeys: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// 32 bytes each, no two alike.
    package let keys: [[UInt8]]

    package static let none = EncryptionKeys(unchecked: [])
    /// Keys that are known at once: far more than a change of keys needs.
    package static let most = 16

    /// Why a text is no list of keys, in words that follow its name and tell nothing of it.
    package struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    private init(unchecked keys: [[UInt8]]) { self.keys = keys }

    /// Reads keys between commas; each is 64 hexadecimal digits, or 32 bytes in base64 (RFC 4648, sections 4 and 5).
    package init(list text: String) throws(Invalid) {
        try self.init(text.split(separator: ",", omittingEmptySubsequences: false).map { $0[...] })
    }

    /// Reads one key a line; blank lines and those that begin with `#` are remarks.
    package init(lines text: String) throws(Invalid) {
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            var line = line.drop { $0 == " " || $0 == "\t" }
            while line.last == " " || line.last == "\t" { line.removeLast() }
            return line
        }
        try self.init(lines.filter { !$0.isEmpty && !$0.hasPrefix("#") })
        guard !keys.isEmpty else { throw Invalid("it holds no key") }
    }

    private init(_ texts: [Substring]) throws(Invalid) {
        guard texts.count <= EncryptionKeys.most else {
            throw Invalid("it holds more than \(EncryptionKeys.most) keys")
        }
        var keys: [[UInt8]] = []
        for (index, text) in texts.enumerated() {
            guard let key = EncryptionKeys.hexadecimal(text) ?? EncryptionKeys.base64(text) else {
                throw Invalid("key \(index + 1) is neither 64 hexadecimal digits nor 32 bytes in base64")
            }
            guard !keys.contains(key) else { throw Invalid("key \(index + 1) is there twice") }
            keys.append(key)
        }
        self.keys = keys
    }

    private static func hexadecimal(_ text: Substring) -> [UInt8]? {
        let digits = text.utf8.compactMap(Hex.value(of:))
        guard text.utf8.count == 2 * SealSize.key, digits.count == text.utf8.count else { return nil }
        return (0..<SealSize.key).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
    }

    /// 32 bytes are 43 characters, the last of which carries four bits, and may be followed by `=`.
    private static func base64(_ text: Substring) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count == 43 || characters.count == 44 && characters[43] == UInt8(ascii: "=") else {
            return nil
        }
        let values = characters.prefix(43).compactMap(base64Value)
        guard values.count == 43, values[42] & 3 == 0 else { return nil }
        return (0..<SealSize.key).map { index in
            let (group, place) = index.quotientAndRemainder(dividingBy: 3)
            let first = values[4 * group + place]
            let second = values[4 * group + place + 1]
            return UInt8(truncatingIfNeeded: UInt16(first) << (2 + 2 * place) | UInt16(second) >> (4 - 2 * place))
        }
    }

    private static func base64Value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 65...90: byte - 65
        case 97...122: byte - 71
        case 48...57: byte + 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    package var description: String { keys.isEmpty ? "" : Secret.mask }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Where the encryption keys stand.
package enum EncryptionKeySource: Hashable, Sendable {
    case given(EncryptionKeys)
    /// The path of a file with one key a line.
    case file(String)

    package static let none = EncryptionKeySource.given(.none)
}
