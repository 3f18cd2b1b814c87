/// A number with at most three digits behind the point.
package struct DecimalFormat: SettingFormat {
    package let range: ClosedRange<Double>

    package let kind = "number"
    package var expected: String {
        "a number such as 0.5 or 20 from \(Self.print(range.lowerBound)) to \(Self.print(range.upperBound)), with at most "
            + "three digits behind the point"
    }

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> Double {
        let text = try scalar(node, name)
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, (1...9).contains(whole.utf8.count),
            parts.count == 1 || (1...3).contains(parts[1].utf8.count),
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }), let value = Double(text)
        else { throw refuse(node, name, "\(quoted(text)) is not such a number") }
        guard range.contains(value) else { throw refuse(node, name, "\(quoted(text)) is out of range") }
        return value
    }

    package func write(_ value: Double) -> ConfigNode.Content { .scalar(Self.print(value)) }

    private static func print(_ value: Double) -> String { Int(exactly: value).map { String($0) } ?? value.description }
}

/// Header lines by name, whose values are never shown.
package struct SecretHeadersFormat: SettingFormat {
    private static let mostItems = 32
    /// Lines that belong to a connection or to its framing.
    private static let forbidden = [
        "connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    package let kind = "table"
    package var expected: String { "names and values of at most \(Self.mostItems) header lines such as {x-region: eu}" }
    package let isStructured = true
    package let isSecret = true

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> [SecretHeader] {
        var result: [SecretHeader] = []
        for (header, value) in try textMembers(node, name, limit: Self.mostItems) {
            let lowered = header.value.lowercased()
            guard !lowered.isEmpty, lowered.utf8.count <= 128, lowered.utf8.allSatisfy(HeaderField.isNameByte),
                !Self.forbidden.contains(lowered), !lowered.hasPrefix("x-refrain-")
            else { throw refuse(header.node, name, "\(quoted(header.value)) cannot be set") }
            guard value.value.utf8.count <= 4096, value.value.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else {
                throw refuse(value.node, "\(name).\(lowered)", "the value cannot be used")
            }
            guard !result.contains(where: { $0.name == lowered }) else {
                throw refuse(header.node, name, "\(lowered) stands twice")
            }
            result.append(SecretHeader(lowered, Secret(value.value)))
        }
        return result
    }

    package func write(_ value: [SecretHeader]) -> ConfigNode.Content {
        .map(value.map { member($0.name, $0.value.description) })
    }
}

/// Names of models by other names.
package struct ModelMapFormat: SettingFormat {
    private static let mostItems = 256
    private static let model: TextFormat = .modelName

    package let kind = "table"
    package var expected: String { "at most \(Self.mostItems) names such as {gpt-4o: llama-3.3-70b}" }
    package let isStructured = true

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> [String: String] {
        var result: [String: String] = [:]
        for (model, own) in try textMembers(node, name, limit: Self.mostItems) {
            for part in [model, own] {
                _ = try Self.model.read(ConfigNode(.scalar(part.value), at: part.node.place), name: name)
            }
            result[model.value] = own.value
        }
        return result
    }

    package func write(_ value: [String: String]) -> ConfigNode.Content {
        .map(value.sorted { $0.key < $1.key }.map { member($0.key, $0.value) })
    }
}

/// A text and where it stands.
private struct PlacedText {
    var value: String
    var node: ConfigNode
}

extension SettingFormat {
    /// The members of a table whose values are texts; an empty value is an empty table.
    fileprivate func textMembers(
        _ node: ConfigNode, _ name: String, limit: Int
    ) throws(SettingsError) -> [(name: PlacedText, value: PlacedText)] {
        guard case .map(let members) = node.content else {
            if node.text == "" { return [] }
            throw refuse(node, name, "\(node.kindWord) stands here")
        }
        guard members.count <= limit else { throw refuse(node, name, "these are too many") }
        var result: [(PlacedText, PlacedText)] = []
        for member in members {
            let text = try scalar(member.value, "\(name).\(shortened(member.name))")
            let own = ConfigNode(.scalar(member.name), at: member.place)
            result.append((PlacedText(value: member.name, node: own), PlacedText(value: text, node: member.value)))
        }
        return result
    }

    fileprivate func member(_ name: String, _ value: String) -> ConfigNode.Member {
        ConfigNode.Member(name: name, place: .builtIn, value: ConfigNode(.scalar(value), at: .builtIn))
    }
}

extension SettingFormat where Self == DecimalFormat {
    static func decimal(_ range: ClosedRange<Double>) -> Self { DecimalFormat(range: range) }
}

extension SettingFormat where Self == TextFormat {
    /// A path of a server, or nothing.
    static var targetPath: Self {
        TextFormat(what: "a path that begins with a slash, or nothing", maxBytes: 1024, allowsEmpty: true, start: "/") {
            $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "#")
        }
    }
}
