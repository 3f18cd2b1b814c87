import Core

/// JSON as it means: what the fast reader is checked against. Slow, small, and written without looking at it.
indirect enum Reference: Equatable {
    case null
    case bool(Bool)
    /// 0.digits × 10^power, without zeros at either end of the digits; zero has none.
    case number(isNegative: Bool, digits: [UInt8], power: Int)
    /// Unicode scalars, because Swift's strings compare by canonical equivalence.
    case string([UInt32])
    case array([Reference])
    case object([Member])

    struct Member: Equatable {
        var name: [UInt32]
        var value: Reference
    }

    static func string(_ text: String) -> Reference { .string(text.unicodeScalars.map(\.value)) }

    init(parsing bytes: [UInt8], maxDepth: Int = 64) throws(BypassReason) {
        var parser = ReferenceParser(bytes: bytes, maxDepth: maxDepth)
        parser.skipSpace()
        guard parser.next == UInt8(ascii: "{") else { throw .notJSON }
        self = try parser.value(depth: 1)
        parser.skipSpace()
        guard parser.next == nil else { throw .notJSON }
    }

    /// RFC 8785, without the members `leftOut` of the outermost object.
    func canonical(leavingOut leftOut: [String] = []) -> String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let isNegative, let digits, let power):
            return Reference.layout(isNegative, String(decoding: digits, as: UTF8.self), power)
        case .string(let scalars): return Reference.quote(scalars)
        case .array(let items): return "[" + items.map { $0.canonical() }.joined(separator: ",") + "]"
        case .object(let members):
            let left = Set(leftOut.map { $0.unicodeScalars.map(\.value) })
            let kept = members.filter { !left.contains($0.name) }
                .sorted { Reference.utf16($0.name).lexicographicallyPrecedes(Reference.utf16($1.name)) }
            return "{"
                + kept.map { Reference.quote($0.name) + ":" + $0.value.canonical() }.joined(separator: ",") + "}"
        }
    }

    private static func utf16(_ scalars: [UInt32]) -> [UInt16] { Array(text(scalars).utf16) }

    private static func text(_ scalars: [UInt32]) -> String {
        String(String.UnicodeScalarView(scalars.map { Unicode.Scalar($0) ?? "?" }))
    }

    private static func quote(_ scalars: [UInt32]) -> String {
        let short: [UInt32: String] = [
            0x22: "\\\"", 0x5C: "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r",
        ]
        let spelled = scalars.map { scalar -> String in
            if let escape = short[scalar] { return escape }
            let hex = String(scalar, radix: 16)
            return scalar < 32 ? "\\u" + String(repeating: "0", count: 4 - hex.count) + hex : text([scalar])
        }
        return "\"" + spelled.joined() + "\""
    }

    private static func layout(_ isNegative: Bool, _ digits: String, _ power: Int) -> String {
        guard !digits.isEmpty else { return "0" }
        let sign = isNegative ? "-" : ""
        let zeros = { (count: Int) in String(repeating: "0", count: count) }
        if power > 21 || power < -5 {
            let tail = digits.dropFirst()
            return sign + digits.prefix(1) + (tail.isEmpty ? "" : "." + tail) + (power > 0 ? "e+" : "e-")
                + String((power - 1).magnitude)
        }
        if power <= 0 { return sign + "0." + zeros(-power) + digits }
        if digits.count <= power { return sign + digits + zeros(power - digits.count) }
        return sign + digits.prefix(power) + "." + digits.dropFirst(power)
    }
}

private struct ReferenceParser {
    let bytes: [UInt8]
    let maxDepth: Int
    var position = 0

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, [32, 9, 10, 13].contains(byte) { position += 1 }
    }

    private mutating func accept(_ text: String) -> Bool {
        guard bytes[position...].starts(with: Array(text.utf8)) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func expect(_ text: String) throws(BypassReason) {
        guard accept(text) else { throw .notJSON }
    }

    mutating func value(depth: Int) throws(BypassReason) -> Reference {
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        default: break
        }
        if accept("null") { return .null }
        if accept("true") { return .bool(true) }
        if accept("false") { return .bool(false) }
        return try number()
    }

    private mutating func array(depth: Int) throws(BypassReason) -> Reference {
        guard depth <= maxDepth else { throw .tooDeep }
        try expect("[")
        skipSpace()
        if accept("]") { return .array([]) }
        var items: [Reference] = []
        repeat {
            skipSpace()
            items.append(try value(depth: depth + 1))
            skipSpace()
        } while accept(",")
        try expect("]")
        return .array(items)
    }

    private mutating func object(depth: Int) throws(BypassReason) -> Reference {
        guard depth <= maxDepth else { throw .tooDeep }
        try expect("{")
        skipSpace()
        if accept("}") { return .object([]) }
        var members: [Reference.Member] = []
        repeat {
            skipSpace()
            let name = try string()
            guard !members.contains(where: { $0.name == name }) else { throw .duplicateMember }
            skipSpace()
            try expect(":")
            skipSpace()
            members.append(Reference.Member(name: name, value: try value(depth: depth + 1)))
            skipSpace()
        } while accept(",")
        try expect("}")
        return .object(members)
    }

    private mutating func string() throws(BypassReason) -> [UInt32] {
        try expect("\"")
        var scalars: [UInt32] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") {
                scalars.append(try escape())
            } else {
                guard byte >= 32 else { throw .notJSON }
                scalars.append(try sequence())
            }
        }
        try expect("\"")
        return scalars
    }

    private mutating func sequence() throws(BypassReason) -> UInt32 {
        for length in 1...4 where position + length <= bytes.count {
            guard let text = String(validating: bytes[position..<position + length], as: UTF8.self) else { continue }
            position += length
            return text.unicodeScalars.first?.value ?? 0
        }
        throw .invalidUnicode
    }

    private mutating func escape() throws(BypassReason) -> UInt32 {
        let short: [(String, UInt32)] = [
            ("\\\"", 0x22), ("\\\\", 0x5C), ("\\/", 0x2F), ("\\b", 8), ("\\t", 9), ("\\n", 10), ("\\f", 12),
            ("\\r", 13),
        ]
        for (text, scalar) in short where accept(text) { return scalar }
        let high = try unit()
        guard (0xD800...0xDFFF).contains(high) else { return high }
        guard high < 0xDC00, position < bytes.count, bytes[position...].starts(with: Array("\\u".utf8)) else {
            throw .invalidUnicode
        }
        let low = try unit()
        guard (0xDC00...0xDFFF).contains(low) else { throw .invalidUnicode }
        return 0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00)
    }

    private mutating func unit() throws(BypassReason) -> UInt32 {
        try expect("\\u")
        let digits = bytes[position...].prefix(4)
        let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        guard digits.count == 4, isHex, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw .notJSON
        }
        position += 4
        return value
    }

    private mutating func digits() -> [UInt8] {
        let start = position
        while let byte = next, (48...57).contains(byte) { position += 1 }
        return Array(bytes[start..<position])
    }

    private mutating func number() throws(BypassReason) -> Reference {
        let isNegative = accept("-")
        let whole = digits()
        guard !whole.isEmpty, whole.count == 1 || whole[0] != 48 else { throw .notJSON }
        var fraction: [UInt8] = []
        if accept(".") {
            fraction = digits()
            guard !fraction.isEmpty else { throw .notJSON }
        }
        var exponent = 0
        if accept("e") || accept("E") {
            let isDown = accept("-")
            if !isDown { _ = accept("+") }
            let text = digits()
            guard !text.isEmpty, text.drop(while: { $0 == 48 }).count <= 9 else { throw .notJSON }
            exponent = (isDown ? -1 : 1) * (Int(String(decoding: text.suffix(9), as: UTF8.self)) ?? 0)
        }
        let all = whole + fraction
        let leading = all.prefix { $0 == 48 }.count
        var significant = Array(all.dropFirst(leading))
        while significant.last == 48 { significant.removeLast() }
        guard !significant.isEmpty else { return .number(isNegative: false, digits: [], power: 0) }
        return .number(isNegative: isNegative, digits: significant, power: whole.count - leading + exponent)
    }
}
