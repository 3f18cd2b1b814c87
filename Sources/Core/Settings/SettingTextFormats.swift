/// A single line of text.
package struct TextFormat: SettingFormat {
    package let what: String
    package let maxBytes: Int
    package let allowsEmpty: Bool
    /// What a text that is not empty begins with.
    package var start = ""
    package let isAllowed: @Sendable (UInt8) -> Bool

    package let kind = "text"
    package var expected: String { what }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> String {
        let text = try scalar(node, name)
        guard allowsEmpty || !text.isEmpty else { throw refuse(node, name, "it is empty") }
        guard text.utf8.count <= maxBytes else { throw refuse(node, name, "it is longer than \(maxBytes) bytes") }
        guard text.utf8.allSatisfy(isAllowed) else {
            throw refuse(node, name, "\(quoted(text)) holds a character that is not allowed")
        }
        guard text.isEmpty || text.hasPrefix(start) else {
            throw refuse(node, name, "\(quoted(text)) does not begin with \(start)")
        }
        return text
    }

    package func write(_ value: String) -> ConfigNode.Content { .scalar(value) }
}

/// A text that is never shown, not even in errors.
package struct SecretFormat: SettingFormat {
    package let kind = "secret"
    package let expected = "a text of printable ASCII characters without spaces, at most 4096 bytes"
    package let isSecret = true

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Secret {
        let text = try scalar(node, name)
        guard text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw refuse(node, name, "the value cannot be used")
        }
        return Secret(text)
    }

    package func write(_ value: Secret) -> ConfigNode.Content { .scalar(value.description) }
}

package struct AddressFormat: SettingFormat {
    package let kind = "address"
    package let expected = "an address and a port such as 127.0.0.1:8400, 0.0.0.0:8400 or [::1]:8400"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> NetworkAddress {
        let text = try scalar(node, name)
        guard let address = NetworkAddress(text) else {
            throw refuse(node, name, "\(quoted(text)) is not an address with a port")
        }
        return address
    }

    package func write(_ value: NetworkAddress) -> ConfigNode.Content { .scalar(value.description) }
}

package struct URLFormat: SettingFormat {
    package let kind = "url"
    package let expected =
        "an http or https URL such as https://api.example.com, without credentials, query and fragment"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> UpstreamURL {
        let text = try scalar(node, name)
        // Not quoted: a URL that is refused may be so for the credentials in it.
        guard let url = UpstreamURL(text) else { throw refuse(node, name, "this is not a URL that can be used") }
        return url
    }

    package func write(_ value: UpstreamURL) -> ConfigNode.Content { .scalar(value.description) }
}

/// A URL, or nothing.
package struct OptionalURLFormat: SettingFormat {
    private static let url = URLFormat()

    package let kind = "url"
    package var expected: String { Self.url.expected + ", or nothing" }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> UpstreamURL? {
        try scalar(node, name).isEmpty ? nil : try Self.url.read(node, name: name)
    }

    package func write(_ value: UpstreamURL?) -> ConfigNode.Content { value.map(Self.url.write) ?? .scalar("") }
}

/// US dollars for a million tokens.
package struct PriceFormat: SettingFormat {
    package let kind = "price"
    package let expected = "US dollars such as 2.5 or 0.075, from 0 to 1000000 with at most six digits behind the point"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> TokenPrice {
        let text = try scalar(node, name)
        guard let price = TokenPrice(dollarsPerMillion: text) else {
            throw refuse(node, name, "\(quoted(text)) is not a price")
        }
        return price
    }

    package func write(_ value: TokenPrice) -> ConfigNode.Content { .scalar(value.description) }
}

package struct PartitionFormat: SettingFormat {
    package let kind = "choice"
    package let expected = "api-key, shared or header:NAME"

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Settings.Partition {
        let text = try scalar(node, name)
        switch text {
        case "api-key": return .apiKey
        case "shared": return .shared
        default:
            let header = text.dropFirst("header:".count)
            guard text.hasPrefix("header:"), !header.isEmpty, header.utf8.allSatisfy(HeaderField.isNameByte) else {
                throw refuse(node, name, "\(quoted(text)) is no choice")
            }
            return .header(header.lowercased())
        }
    }

    package func write(_ value: Settings.Partition) -> ConfigNode.Content {
        switch value {
        case .apiKey: .scalar("api-key")
        case .shared: .scalar("shared")
        case .header(let name): .scalar("header:" + name)
        }
    }
}

package struct FractionFormat: SettingFormat {
    package let range: ClosedRange<Fraction>

    package let kind = "fraction"
    package var expected: String {
        "a number such as 0.01 from \(range.lowerBound) to \(range.upperBound) with at most six digits behind the point"
    }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Fraction {
        let text = try scalar(node, name)
        guard let fraction = Fraction(text) else { throw refuse(node, name, "\(quoted(text)) is no such number") }
        guard range.contains(fraction) else { throw refuse(node, name, "\(quoted(text)) is out of range") }
        return fraction
    }

    package func write(_ value: Fraction) -> ConfigNode.Content { .scalar(value.description) }
}

/// Some of a few words, each once.
package struct WordListFormat<Value: RawRepresentable<String> & CaseIterable & Sendable & Equatable>: SettingFormat {
    package let kind = "list"
    package var expected: String { "a list of some of " + Value.allCases.map(\.rawValue).joined(separator: ", ") }
    package var isStructured: Bool { true }

    package init() {}

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> [Value] {
        guard case .list(let items) = node.content else { throw refuse(node, name, "\(node.kindWord) stands here") }
        var values: [Value] = []
        for item in items {
            let text = try scalar(item, name)
            guard let value = Value(rawValue: text) else { throw refuse(item, name, "\(quoted(text)) is no choice") }
            guard !values.contains(value) else { throw refuse(item, name, "\(quoted(text)) stands twice") }
            values.append(value)
        }
        return values
    }

    package func write(_ value: [Value]) -> ConfigNode.Content {
        .list(value.map { ConfigNode(.scalar($0.rawValue), at: .builtIn) })
    }
}

/// A list of short texts without duplicates.
package struct TextListFormat: SettingFormat {
    package static let maxItems = 64

    /// What an item is, in the plural.
    package let what: String
    package let example: String
    package let isLowercased: Bool
    package let isAllowed: @Sendable (UInt8) -> Bool
    /// Items that would do harm, and why.
    package let forbidden: [String]
    package let why: String

    package let kind = "list of text"
    package var expected: String { "a list of at most \(Self.maxItems) \(what) such as \(example)" }
    package let isStructured = true

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> [String] {
        guard case .list(let items) = node.content else {
            if node.text == "" { return [] }
            throw refuse(node, name, "\(node.kindWord) stands here")
        }
        guard items.count <= Self.maxItems else { throw refuse(node, name, "the list is too long") }
        var result: [String] = []
        for item in items {
            guard let text = item.text, !text.isEmpty, text.utf8.count <= 128, text.utf8.allSatisfy(isAllowed) else {
                throw refuse(item, name, item.text.map { "\(quoted($0)) cannot stand here" } ?? "\(item.kindWord) here")
            }
            let value = isLowercased ? text.lowercased() : text
            guard !forbidden.contains(value) else {
                throw SettingsError(at: item.place, setting: name, "\(value) must not stand here: \(why)")
            }
            if !result.contains(value) { result.append(value) }
        }
        return result
    }

    package func write(_ value: [String]) -> ConfigNode.Content {
        .list(value.map { ConfigNode(.scalar($0), at: .builtIn) })
    }
}

/// Paths of the file system, one as a text or several as a list.
package struct PathListFormat: SettingFormat {
    private static let path: TextFormat = .path

    package let kind = "list of paths"
    package var expected: String { "the path of a file, or a list of at most \(TextListFormat.maxItems) of them" }
    package let isStructured = true

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> [String] {
        var items = [node]
        if case .list(let several) = node.content { items = several }
        guard items.count <= TextListFormat.maxItems else { throw refuse(node, name, "the list is too long") }
        var result: [String] = []
        for item in items {
            let path = try Self.path.read(item, name: name)
            if !path.isEmpty, !result.contains(path) { result.append(path) }
        }
        return result
    }

    package func write(_ value: [String]) -> ConfigNode.Content {
        .list(value.map { ConfigNode(.scalar($0), at: .builtIn) })
    }
}

extension HeaderField {
    /// A byte of an RFC 9110 token.
    package static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
