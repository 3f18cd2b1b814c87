/// A row of the settings table: everything there is to know of one setting of a `Root`.
package struct Setting<Root: Sendable>: Sendable {
    /// Dotted, such as `cache.ttl`.
    package let name: String
    package let kind: String
    /// What may be written, with an example and the range.
    package let expected: String
    package let sentence: String
    package let isStructured: Bool
    package let isSecret: Bool

    private let reader: @Sendable (ConfigNode, String, inout Root) throws(SettingsError) -> Void
    private let writer: @Sendable (Root) -> ConfigNode.Content
    private let comparer: @Sendable (Root, Root) -> Bool
    private let copier: @Sendable (Root, inout Root) -> Void

    package init<Format: SettingFormat>(
        _ name: String, _ path: any WritableKeyPath<Root, Format.Value> & Sendable, _ format: Format, _ sentence: String
    ) {
        self.name = name
        self.sentence = sentence
        kind = format.kind
        expected = format.expected
        isStructured = format.isStructured
        isSecret = format.isSecret
        reader = { (node, name, root) throws(SettingsError) in root[keyPath: path] = try format.read(node, name: name) }
        writer = { format.write($0[keyPath: path]) }
        comparer = { $0[keyPath: path] == $1[keyPath: path] }
        copier = { $1[keyPath: path] = $0[keyPath: path] }
    }

    /// Whether both have the same value, secrets included.
    package func isSame(in one: Root, and other: Root) -> Bool { comparer(one, other) }

    package func copy(from source: Root, into target: inout Root) { copier(source, &target) }

    /// Takes the value over; `shownAs` is the name for errors where the setting stands inside a list.
    package func read(_ node: ConfigNode, shownAs: String? = nil, into root: inout Root) throws(SettingsError) {
        try reader(node, shownAs ?? name, &root)
    }

    package func write(_ root: Root) -> ConfigNode { ConfigNode(writer(root), at: .builtIn) }
}

extension Setting<Settings> {
    /// `cache.staleIfError` is `REFRAIN_CACHE_STALE_IF_ERROR` in the environment.
    package var environmentName: String {
        var result = "REFRAIN_"
        for character in name {
            if character == "." {
                result += "_"
            } else {
                if character.isUppercase { result += "_" }
                result += character.uppercased()
            }
        }
        return result
    }
}

/// A list of tables, each described by rows of its own.
package struct TableListFormat<Row: Sendable & Equatable>: SettingFormat {
    package let rows: [Setting<Row>]
    package let blank: Row
    package let required: [String]
    package let maxItems: Int
    package let example: String

    package let kind = "list of tables"
    package var expected: String { "a list such as \(example)" }
    package let isStructured = true

    package func read(_ node: ConfigNode, name: String) throws(SettingsError) -> [Row] {
        guard case .list(let items) = node.content else {
            if node.text == "" { return [] }
            throw refuse(node, name, "\(node.kindWord) stands here")
        }
        guard items.count <= maxItems else {
            throw SettingsError(
                at: node.place, setting: name, "\(items.count) are too many: at most \(maxItems) can be given"
            )
        }
        var result: [Row] = []
        for (index, item) in items.enumerated() { result.append(try row(item, "\(name)[\(index)]")) }
        return result
    }

    private func row(_ node: ConfigNode, _ name: String) throws(SettingsError) -> Row {
        guard case .map(let members) = node.content else { throw refuse(node, name, "\(node.kindWord) stands here") }
        var row = blank
        for member in members {
            guard let setting = rows.first(where: { $0.name == member.name }) else {
                let nearest = NearestName.find(member.name, among: rows.map(\.name))
                throw SettingsError(
                    at: member.place, setting: "\(name).\(shortened(member.name))",
                    "there is no such setting; "
                        + (nearest.map { "did you mean \($0)?" }
                            ?? "known are " + rows.map(\.name).joined(separator: ", ")))
            }
            try setting.read(member.value, shownAs: "\(name).\(setting.name)", into: &row)
        }
        for needed in required where !members.contains(where: { $0.name == needed }) {
            throw SettingsError(at: node.place, setting: name, "\(needed) is missing; write \(expected)")
        }
        return row
    }

    package func write(_ value: [Row]) -> ConfigNode.Content {
        .list(
            value.map { row in
                let members = rows.map { ConfigNode.Member(name: $0.name, place: .builtIn, value: $0.write(row)) }
                return ConfigNode(.map(members), at: .builtIn)
            })
    }
}

/// A name from outside as it may stand in an error message.
package func shortened(_ name: String) -> String { String(quoted(name).dropFirst().dropLast()) }
