import Core

/// Strings: RFC 8785, section 3.2.2.2, which is ECMAScript's `QuoteJSONString` with ill-formed text refused.
extension Cursor {
    /// Copies a string whose opening quote has been passed, through its closing quote. `isPlain` turns false when
    /// the text holds an escape or a byte beyond ASCII.
    @inline(__always)
    mutating func passString(isPlain: inout Bool) throws(BypassReason) {
        while true {
            passPlainRun()
            if byte == UInt8(ascii: "\"") {
                pass()
                return
            }
            isPlain = false
            self = try passSpecial(self)
        }
    }

    /// Copies bytes that stand for themselves, 16 at a time; may read and write up to 15 bytes beyond the run,
    /// for which the padding of the input and the slack of the output make room.
    @inline(__always)
    private mutating func passPlainRun() {
        while true {
            let block = UnsafeRawPointer(source).loadUnaligned(as: SIMD16<UInt8>.self)
            UnsafeMutableRawPointer(target).storeBytes(of: block, as: SIMD16<UInt8>.self)
            // Read as signed, controls (below 0x20) and bytes beyond ASCII (negative) are one comparison.
            let special =
                (unsafeBitCast(block, to: SIMD16<Int8>.self) .< Block.space) .| (block .== Block.quote)
                .| (block .== Block.backslash)
            let lanes = unsafeBitCast(special, to: SIMD2<UInt64>.self)
            if lanes[0] != 0 {
                advance(lanes[0].littleEndian.trailingZeroBitCount >> 3)
                return
            }
            if lanes[1] != 0 {
                advance(8 + lanes[1].littleEndian.trailingZeroBitCount >> 3)
                return
            }
            advance(16)
        }
    }

    @inline(__always)
    private mutating func advance(_ count: Int) {
        source += count
        target += count
    }
}

/// Operands of the block comparisons; only between whole vectors do they compile to one instruction each.
private enum Block {
    @inline(__always) static var space: SIMD16<Int8> { SIMD16(repeating: 0x20) }
    @inline(__always) static var quote: SIMD16<UInt8> { SIMD16(repeating: UInt8(ascii: "\"")) }
    @inline(__always) static var backslash: SIMD16<UInt8> { SIMD16(repeating: UInt8(ascii: "\\")) }
}

/// Passes what `passPlainRun` stopped at, escapes and text beyond ASCII, until a plain byte follows.
@inline(never)
private func passSpecial(_ start: Cursor) throws(BypassReason) -> Cursor {
    var cursor = start
    while true {
        if cursor.byte == UInt8(ascii: "\\") {
            try passEscape(&cursor)
        } else if cursor.byte >= 0x80 {
            let length = UTF8Sequence.length(at: cursor.source)
            guard length > 0 else { throw .invalidUnicode }
            UnsafeMutableRawPointer(cursor.target).storeBytes(
                of: UnsafeRawPointer(cursor.source).loadUnaligned(as: UInt32.self), as: UInt32.self)
            cursor.source += length
            cursor.target += length
        } else if cursor.byte < 0x20 {
            throw .notJSON
        } else {
            return cursor
        }
    }
}

@inline(__always)
private func passEscape(_ cursor: inout Cursor) throws(BypassReason) {
    let letter = cursor.source[1]
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
        UInt8(ascii: "r"), UInt8(ascii: "t"):
        cursor.put(UInt8(ascii: "\\"))
        cursor.put(letter)
        cursor.source += 2
    case UInt8(ascii: "/"):
        cursor.put(letter)
        cursor.source += 2
    case UInt8(ascii: "u"):
        cursor.source += 2
        CanonicalEscape.write(try unicodeEscape(&cursor)) { cursor.put($0) }
    default: throw .notJSON
    }
}

/// The scalar that one `\u` escape, or a pair of them, stands for; the first `\u` has been passed.
@inline(__always)
private func unicodeEscape(_ cursor: inout Cursor) throws(BypassReason) -> UInt32 {
    let first = try fourHexDigits(&cursor)
    guard first & 0xF800 == 0xD800 else { return first }
    guard first < 0xDC00, cursor.byte == UInt8(ascii: "\\"), cursor.source[1] == UInt8(ascii: "u") else {
        throw .invalidUnicode
    }
    cursor.source += 2
    let second = try fourHexDigits(&cursor)
    guard second & 0xFC00 == 0xDC00 else { throw .invalidUnicode }
    return 0x10000 + (first & 0x3FF) << 10 + second & 0x3FF
}

@inline(__always)
private func fourHexDigits(_ cursor: inout Cursor) throws(BypassReason) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
        // `Hex` of Core would be a call for each digit.
        let digit = UInt32(cursor.byte &- 48)
        let letter = UInt32((cursor.byte | 0x20) &- 97)
        guard digit < 10 || letter < 6 else { throw .notJSON }
        value = value << 4 | (digit < 10 ? digit : letter + 10)
        cursor.source += 1
    }
    return value
}

/// The one spelling a scalar has in canonical text.
enum CanonicalEscape {
    /// The letter behind the backslash for scalars that have a short escape, else nil.
    static func letter(of scalar: UInt32) -> UInt8? {
        switch scalar {
        case 0x22: UInt8(ascii: "\"")
        case 0x5C: UInt8(ascii: "\\")
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: nil
        }
    }

    /// Puts at most six bytes, never more than the escape that was read.
    @inline(__always)
    static func write(_ scalar: UInt32, put: (UInt8) -> Void) {
        if scalar > 0x5C {
            UTF8Sequence.write(scalar, put: put)
        } else if let letter = letter(of: scalar) {
            put(UInt8(ascii: "\\"))
            put(letter)
        } else if scalar < 0x20 {
            put(UInt8(ascii: "\\"))
            put(UInt8(ascii: "u"))
            put(UInt8(ascii: "0"))
            put(UInt8(ascii: "0"))
            put(Hex.digit(UInt8(scalar >> 4)))
            put(Hex.digit(UInt8(scalar & 15)))
        } else {
            put(UInt8(scalar))
        }
    }
}

/// UTF-8 by the letter (RFC 3629): shortest form only, no surrogates, nothing beyond U+10FFFF.
enum UTF8Sequence {
    /// How many bytes the sequence at `source` has, 0 where it is ill-formed. The first byte is beyond ASCII and
    /// four bytes can be read.
    @inline(__always)
    static func length(at source: UnsafePointer<UInt8>) -> Int {
        let word = UInt32(littleEndian: UnsafeRawPointer(source).loadUnaligned(as: UInt32.self))
        if word & 0xC0E0 == 0x80C0 { return word & 0x1E != 0 ? 2 : 0 }
        if word & 0xC0_C0F0 == 0x80_80E0 {
            let scalar = (word & 0xF) << 12 | (word >> 8 & 0x3F) << 6 | word >> 16 & 0x3F
            return scalar >= 0x800 && scalar & 0xF800 != 0xD800 ? 3 : 0
        }
        if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            let high = (word & 7) << 2 | word >> 12 & 3
            return high >= 1 && high <= 0x10 ? 4 : 0
        }
        return 0
    }

    /// The scalar at `source`, which is well-formed, and how many bytes it has.
    static func scalar(at source: UnsafePointer<UInt8>) -> (value: UInt32, length: Int) {
        let first = UInt32(source[0])
        func tail(_ index: Int) -> UInt32 { UInt32(source[index] & 0x3F) }
        if first < 0x80 { return (first, 1) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | tail(1), 2) }
        if first < 0xF0 { return ((first & 0xF) << 12 | tail(1) << 6 | tail(2), 3) }
        return ((first & 7) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
    }

    @inline(__always)
    static func write(_ scalar: UInt32, put: (UInt8) -> Void) {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(scalar >> shift & 0x3F) }
        if scalar < 0x80 {
            put(UInt8(scalar))
        } else if scalar < 0x800 {
            put(0xC0 | UInt8(scalar >> 6))
            put(tail(0))
        } else if scalar < 0x10000 {
            put(0xE0 | UInt8(scalar >> 12))
            put(tail(6))
            put(tail(0))
        } else {
            put(0xF0 | UInt8(scalar >> 18))
            put(tail(12))
            put(tail(6))
            put(tail(0))
        }
    }
}
