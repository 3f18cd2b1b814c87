/// Writes configuration trees as YAML that reads back as the same tree.
package enum ConfigPrinter {
    /// The effective settings, secrets masked, each with where it was written.
    package static func yaml(_ loaded: LoadedSettings) -> String {
        var result = ""
        for section in SettingsTable.sections {
            var isOpen = false
            for setting in SettingsTable.all
            where setting.name == section.name || setting.name.hasPrefix(section.name + ".") {
                let isNested = setting.name != section.name
                if isNested && !isOpen {
                    result += "\(section.name):\n"
                    isOpen = true
                }
                let member = isNested ? setting.name.dropFirst(section.name.count + 1) : setting.name[...]
                let node = setting.write(loaded.values)
                result += "\(isNested ? "  " : "")\(member): \(flow(node))  # \(loaded.origin(of: setting.name))\n"
            }
        }
        return result
    }

    /// One line in flow style.
    package static func flow(_ node: ConfigNode) -> String {
        switch node.content {
        case .scalar(let text): scalar(text)
        case .list(let items): "[" + items.map(flow).joined(separator: ", ") + "]"
        case .map(let members):
            "{" + members.map { "\(scalar($0.name)): \(flow($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    /// Plain where no reader could take it for anything but itself, else in double quotes.
    package static func scalar(_ text: String) -> String {
        let isPlain =
            text.utf8.first.map { isWordByte($0) || $0 == UInt8(ascii: "/") } ?? false
            && text.utf8.allSatisfy { isWordByte($0) || "./_-:".utf8.contains($0) } && !text.hasSuffix(":")
        if isPlain { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 32 || (127...159).contains(scalar.value):
                result += "\\x" + String(UnicodeScalar(Hex.digit(UInt8(scalar.value >> 4))))
                result += String(UnicodeScalar(Hex.digit(UInt8(scalar.value & 15))))
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: false
        }
    }
}

extension ConfigPrinter {
    /// The effective settings as one JSON object: by name, the value as the texts a file would hold, and its origin.
    package static func json(_ loaded: LoadedSettings) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for setting in SettingsTable.all {
            writer.name(setting.name)
            writer.beginObject()
            writer.name("value")
            write(setting.write(loaded.values), to: &writer)
            writer.member("origin", loaded.origin(of: setting.name).description)
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ node: ConfigNode, to writer: inout JSONWriter) {
        switch node.content {
        case .scalar(let text): writer.value(text)
        case .list(let items):
            writer.beginArray()
            for item in items { write(item, to: &writer) }
            writer.endArray()
        case .map(let members):
            writer.beginObject()
            for member in members {
                writer.name(member.name)
                write(member.value, to: &writer)
            }
            writer.endObject()
        }
    }
}
