import Core

extension JSONValue {
    /// The document without white space.
    package var serialised: [UInt8] {
        var target: [UInt8] = []
        write(to: &target)
        return target
    }

    package func write(to target: inout [UInt8]) {
        switch self {
        case .null: target += "null".utf8
        case .bool(let value): target += (value ? "true" : "false").utf8
        case .number(let spelling): target += spelling.utf8
        case .string(let text): JSONValue.writeString(text, to: &target)
        case .array(let elements):
            target.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { target.append(UInt8(ascii: ",")) }
                element.write(to: &target)
            }
            target.append(UInt8(ascii: "]"))
        case .object(let object): object.write(to: &target)
        }
    }

    static func writeString(_ text: String, to target: inout [UInt8]) {
        target.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": target += "\\\"".utf8
            case "\\": target += "\\\\".utf8
            case "\n": target += "\\n".utf8
            case "\r": target += "\\r".utf8
            case "\t": target += "\\t".utf8
            // Some readers of event streams also split lines at the last three, so they are escaped like controls.
            case "\u{0}"..."\u{1F}", "\u{85}", "\u{2028}", "\u{2029}":
                target += "\\u".utf8
                for shift in [12, 8, 4, 0] {
                    target.append(Hex.digit(UInt8(truncatingIfNeeded: scalar.value >> UInt32(shift)) & 15))
                }
            default: target.append(contentsOf: UTF8.encode(scalar)!)  // Every scalar value has a UTF-8 form.
            }
        }
        target.append(UInt8(ascii: "\""))
    }
}

extension JSONObject {
    package func write(to target: inout [UInt8]) {
        target.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { target.append(UInt8(ascii: ",")) }
            JSONValue.writeString(member.name, to: &target)
            target.append(UInt8(ascii: ":"))
            member.value.write(to: &target)
        }
        target.append(UInt8(ascii: "}"))
    }
}
