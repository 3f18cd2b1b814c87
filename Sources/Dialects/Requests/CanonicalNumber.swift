import Core

/// Numbers, laid out as ECMAScript's `Number::toString` does, but of the exact decimal that was written: see
/// docs/decisions/numbers-are-decimals.md.
extension CanonicalWriter {
    /// Integers of at most this many digits are written out; longer ones take an exponent.
    private static let plainDigits = 21
    /// More digits than this make an exponent unreadable.
    private static let exponentDigits = 9
    /// What a number can grow by: "1e20" becomes 21 digits, an exponent gains a sign.
    private static let growth = 32

    @inline(__always)
    mutating func number(_ start: Cursor) throws(BypassReason) -> Cursor {
        let literal = start.source
        let isNegative = literal.pointee == UInt8(ascii: "-")
        let digits = isNegative ? literal + 1 : literal
        var end = digits
        while CanonicalWriter.isDigit(end.pointee) { end += 1 }
        let count = end - digits
        guard count > 0, count == 1 || digits.pointee != UInt8(ascii: "0") else { throw .notJSON }
        var isCanonical = count <= Self.plainDigits
        if end.pointee == UInt8(ascii: ".") {
            // Most fractions, like 0.75, are written as they are printed: no zero at the end, nor many at the start.
            let point = end
            repeat { end += 1 } while CanonicalWriter.isDigit(end.pointee)
            isCanonical = isCanonical && end[-1] > UInt8(ascii: "0") && (digits[0] | point[1]) > UInt8(ascii: "0")
            if !isCanonical { end = point }
        }
        if !isCanonical || end.pointee | 0x20 == UInt8(ascii: "e") {
            return try decimal(start, isNegative: isNegative, digits: digits, point: digits + count)
        }
        var cursor = start
        if isNegative, end - digits == 1, digits.pointee == UInt8(ascii: "0") { cursor.source += 1 }
        while cursor.source < end { cursor.pass() }
        return cursor
    }

    /// Any number that is not written as it came: with a fraction, an exponent or very many digits.
    @inline(never)
    private mutating func decimal(
        _ start: Cursor, isNegative: Bool, digits: UnsafePointer<UInt8>, point: UnsafePointer<UInt8>
    ) throws(BypassReason) -> Cursor {
        var cursor = start
        cursor.source = point
        var fraction = UnsafeBufferPointer(start: point, count: 0)
        if cursor.byte == UInt8(ascii: ".") {
            cursor.source += 1
            let first = cursor.source
            while CanonicalWriter.isDigit(cursor.byte) { cursor.source += 1 }
            guard cursor.source > first else { throw .notJSON }
            fraction = UnsafeBufferPointer(start: first, count: cursor.source - first)
        }
        let exponent = try exponent(&cursor)
        reserve(&cursor, for: cursor.source - start.source + Self.growth)
        let whole = UnsafeBufferPointer(start: digits, count: point - digits)
        Decimal(whole: whole, fraction: fraction, exponent: exponent).write(isNegative: isNegative, into: &cursor)
        return cursor
    }

    private func exponent(_ cursor: inout Cursor) throws(BypassReason) -> Int {
        guard cursor.byte | 0x20 == UInt8(ascii: "e") else { return 0 }
        cursor.source += 1
        let isNegative = cursor.byte == UInt8(ascii: "-")
        if isNegative || cursor.byte == UInt8(ascii: "+") { cursor.source += 1 }
        guard CanonicalWriter.isDigit(cursor.byte) else { throw .notJSON }
        while cursor.byte == UInt8(ascii: "0") { cursor.source += 1 }
        let first = cursor.source
        var value = 0
        while CanonicalWriter.isDigit(cursor.byte) {
            guard cursor.source - first < Self.exponentDigits else { throw .notJSON }
            value = value * 10 + Int(cursor.byte - 48)
            cursor.source += 1
        }
        return isNegative ? -value : value
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
}

/// A decimal as written: digits before and behind the point, and a power of ten.
private struct Decimal {
    let whole: UnsafeBufferPointer<UInt8>
    let fraction: UnsafeBufferPointer<UInt8>
    let exponent: Int

    private var count: Int { whole.count + fraction.count }

    private func digit(_ index: Int) -> UInt8 {
        index < whole.count ? whole[index] : fraction[index - whole.count]
    }

    /// ECMA-262, `Number::toString`: k significant digits s, and n such that the value is s × 10^(n − k).
    func write(isNegative: Bool, into cursor: inout Cursor) {
        var first = 0
        while first < count, digit(first) == UInt8(ascii: "0") { first += 1 }
        guard first < count else {
            cursor.put(UInt8(ascii: "0"))
            return
        }
        var end = count
        while digit(end - 1) == UInt8(ascii: "0") { end -= 1 }
        let n = whole.count - first + exponent
        if isNegative { cursor.put(UInt8(ascii: "-")) }
        if n > 21 || n <= -6 {
            put(first..<first + 1, &cursor)
            if end > first + 1 { cursor.put(UInt8(ascii: ".")) }
            put(first + 1..<end, &cursor)
            putExponent(n - 1, &cursor)
        } else if n <= 0 {
            cursor.put(UInt8(ascii: "0"))
            cursor.put(UInt8(ascii: "."))
            putZeros(-n, &cursor)
            put(first..<end, &cursor)
        } else if end - first <= n {
            put(first..<end, &cursor)
            putZeros(n - (end - first), &cursor)
        } else {
            put(first..<first + n, &cursor)
            cursor.put(UInt8(ascii: "."))
            put(first + n..<end, &cursor)
        }
    }

    private func put(_ range: Range<Int>, _ cursor: inout Cursor) {
        for index in range { cursor.put(digit(index)) }
    }

    private func putZeros(_ count: Int, _ cursor: inout Cursor) {
        for _ in 0..<count { cursor.put(UInt8(ascii: "0")) }
    }

    private func putExponent(_ value: Int, _ cursor: inout Cursor) {
        cursor.put(UInt8(ascii: "e"))
        cursor.put(UInt8(ascii: value < 0 ? "-" : "+"))
        let magnitude = value.magnitude
        var power: UInt = 1
        while magnitude / power >= 10 { power *= 10 }
        while power > 0 {
            cursor.put(UInt8(48 + magnitude / power % 10))
            power /= 10
        }
    }
}
