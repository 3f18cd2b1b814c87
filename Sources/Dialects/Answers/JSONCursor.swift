import Core

/// Why a document of the upstream cannot be read.
package enum JSONFault: Error, Sendable, Equatable {
    /// Not JSON (RFC 8259), or something follows the document.
    case syntax
    /// Not UTF-8, or an escape names half a surrogate pair.
    case unicode
    /// Nested deeper, or made of more values, than the limits allow.
    case tooLarge
    /// An object names a member twice, which readers take differently.
    case duplicateMember
}

/// A walk over a JSON document that allocates nothing: whoever wants two members of a chunk visits those and
/// skips the rest, which is still checked.
///
/// After `openObject`, call `nextMember` until it gives nil and read or skip exactly one value after each name;
/// `openArray` and `nextElement` likewise. Memory is borrowed: a cursor must not outlive the buffer.
package struct JSONCursor {
    /// Deeper nesting is refused: each level costs a stack frame where values are read recursively.
    package static let maxDepth = 128

    let bytes: UnsafeRawBufferPointer
    package private(set) var position = 0
    private var depth = 0
    /// Just behind an opening bracket, where no comma is due.
    private var isFresh = false

    /// Checks once that everything is UTF-8, so that no later step has to.
    package init(_ bytes: UnsafeRawBufferPointer) throws(JSONFault) {
        self.bytes = bytes
        do {
            _ = try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)
        } catch {
            throw .unicode
        }
    }

    /// The first byte of the next value.
    package mutating func peek() throws(JSONFault) -> UInt8 {
        skipSpace()
        guard position < bytes.count else { throw .syntax }
        return bytes[position]
    }

    /// Only white space may be left.
    package mutating func finish() throws(JSONFault) {
        skipSpace()
        guard position == bytes.count else { throw .syntax }
    }

    package mutating func openObject() throws(JSONFault) { try open(UInt8(ascii: "{")) }
    package mutating func openArray() throws(JSONFault) { try open(UInt8(ascii: "[")) }

    /// The name of the next member, nil behind the last one.
    package mutating func nextMember() throws(JSONFault) -> JSONText? {
        guard try !closes(UInt8(ascii: "}")) else { return nil }
        let name = try string()
        guard try peek() == UInt8(ascii: ":") else { throw .syntax }
        position += 1
        return name
    }

    /// Whether there is one more element.
    package mutating func nextElement() throws(JSONFault) -> Bool { try !closes(UInt8(ascii: "]")) }

    package mutating func string() throws(JSONFault) -> JSONText {
        guard try peek() == UInt8(ascii: "\"") else { throw .syntax }
        let start = position + 1
        var index = start
        var isEscaped = false
        while true {
            index = endOfPlainRun(from: index)
            guard index < bytes.count else { throw .syntax }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                position = index + 1
                isFresh = false
                return JSONText(raw: UnsafeRawBufferPointer(rebasing: bytes[start..<index]), isEscaped: isEscaped)
            }
            guard byte >= 0x20 else { throw .syntax }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                index = try JSONText.skipEscape(bytes, at: index)
            } else {
                index += 1
            }
        }
    }

    /// Passes over text eight bytes at a time, up to a word that may hold a quote, a backslash or a control character.
    private func endOfPlainRun(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let quotes = word ^ (ones &* 0x22)
            let escapes = word ^ (ones &* 0x5C)
            // A borrow can only mark bytes above one that is rightly marked.
            let controls = (word &- ones &* 0x20) & ~word
            let found = controls | (quotes &- ones) & ~quotes | (escapes &- ones) & ~escapes
            guard found & tops == 0 else { break }
            index += 8
        }
        return index
    }

    /// The spelling of a number.
    package mutating func number() throws(JSONFault) -> UnsafeRawBufferPointer {
        let start = position
        if at(UInt8(ascii: "-")) { position += 1 }
        if at(UInt8(ascii: "0")) { position += 1 } else { try digits() }
        if at(UInt8(ascii: ".")) {
            position += 1
            try digits()
        }
        if at(UInt8(ascii: "e")) || at(UInt8(ascii: "E")) {
            position += 1
            if at(UInt8(ascii: "+")) || at(UInt8(ascii: "-")) { position += 1 }
            try digits()
        }
        isFresh = false
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    package mutating func literal(_ word: StaticString) throws(JSONFault) {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count else { throw .syntax }
        for offset in 0..<word.utf8CodeUnitCount where bytes[position + offset] != word.utf8Start[offset] {
            throw .syntax
        }
        position = end
        isFresh = false
    }

    /// Passes over one value of any kind, and gives the bytes it was written in.
    @discardableResult
    package mutating func skip() throws(JSONFault) -> UnsafeRawBufferPointer {
        let first = try peek()
        let start = position
        switch first {
        case UInt8(ascii: "{"):
            try openObject()
            while try nextMember() != nil { try skip() }
        case UInt8(ascii: "["):
            try openArray()
            while try nextElement() { try skip() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    private mutating func open(_ bracket: UInt8) throws(JSONFault) {
        guard try peek() == bracket else { throw .syntax }
        guard depth < JSONCursor.maxDepth else { throw .tooLarge }
        depth += 1
        position += 1
        isFresh = true
    }

    private mutating func closes(_ bracket: UInt8) throws(JSONFault) -> Bool {
        let next = try peek()
        if next == bracket {
            position += 1
            depth -= 1
            isFresh = false
            return true
        }
        if isFresh {
            isFresh = false
        } else {
            guard next == UInt8(ascii: ",") else { throw .syntax }
            position += 1
        }
        return false
    }

    private func at(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }

    private mutating func digits() throws(JSONFault) {
        let start = position
        while position < bytes.count, bytes[position] >= 48, bytes[position] <= 57 { position += 1 }
        guard position > start else { throw .syntax }
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }
}

/// A JSON string as it is written, between its quotes.
package struct JSONText {
    package let raw: UnsafeRawBufferPointer
    package let isEscaped: Bool

    /// Compares what is meant, not how it is spelled.
    package func means(_ word: StaticString) -> Bool {
        if isEscaped {
            guard let text = try? decoded() else { return false }
            return word.withUTF8Buffer { text.utf8.elementsEqual($0) }
        }
        guard raw.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<raw.count where raw[index] != word.utf8Start[index] { return false }
        return true
    }

    package func decoded() throws(JSONFault) -> String {
        guard isEscaped else { return String(decoding: raw, as: UTF8.self) }
        var text: [UInt8] = []
        text.reserveCapacity(raw.count)
        var index = 0
        while index < raw.count {
            guard raw[index] == UInt8(ascii: "\\") else {
                text.append(raw[index])
                index += 1
                continue
            }
            index = try JSONText.appendEscape(raw, at: index, to: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The position behind the escape that starts at `index`.
    static func skipEscape(_ bytes: UnsafeRawBufferPointer, at index: Int) throws(JSONFault) -> Int {
        guard index + 1 < bytes.count else { throw .syntax }
        switch bytes[index + 1] {
        case UInt8(ascii: "u"):
            _ = try hex4(bytes, at: index + 2)
            return index + 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index + 2
        default: throw .syntax
        }
    }

    private static func appendEscape(
        _ bytes: UnsafeRawBufferPointer, at index: Int, to text: inout [UInt8]
    ) throws(JSONFault) -> Int {
        let next = try skipEscape(bytes, at: index)
        switch bytes[index + 1] {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): return try appendUnicode(bytes, at: index, to: &text)
        default: text.append(bytes[index + 1])
        }
        return next
    }

    /// RFC 8259 section 7: characters beyond the first plane are written as a pair of surrogates.
    private static func appendUnicode(
        _ bytes: UnsafeRawBufferPointer, at index: Int, to text: inout [UInt8]
    ) throws(JSONFault) -> Int {
        let unit = try hex4(bytes, at: index + 2)
        if let scalar = Unicode.Scalar(unit) {
            text.append(contentsOf: UTF8.encode(scalar)!)  // Every scalar value has a UTF-8 form.
            return index + 6
        }
        let low = index + 6
        guard unit < 0xDC00, low + 1 < bytes.count, bytes[low] == UInt8(ascii: "\\"),
            bytes[low + 1] == UInt8(ascii: "u")
        else { throw .unicode }
        let second = try hex4(bytes, at: low + 2)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
        else { throw .unicode }
        text.append(contentsOf: UTF8.encode(scalar)!)  // Every scalar value has a UTF-8 form.
        return low + 6
    }

    private static func hex4(_ bytes: UnsafeRawBufferPointer, at index: Int) throws(JSONFault) -> UInt32 {
        guard index + 4 <= bytes.count else { throw .syntax }
        var unit: UInt32 = 0
        for offset in 0..<4 {
            guard let nibble = Hex.value(of: bytes[index + offset]) else { throw .syntax }
            unit = unit << 4 | UInt32(nibble)
        }
        return unit
    }
}
