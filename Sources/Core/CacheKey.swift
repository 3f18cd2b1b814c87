/// The name of a cached answer: a SHA-256 digest over everything that may change the answer.
///
/// The digest is kept as four words. It is uniformly distributed, so the first word serves as its hash.
package struct CacheKey: Hashable, Sendable {
    package let word0, word1, word2, word3: UInt64

    package init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
    }

    /// Reads the 32 bytes of a digest, most significant byte of each word first.
    package init(digest: UnsafeRawBufferPointer) {
        precondition(digest.count == 32, "CacheKey: a SHA-256 digest has 32 bytes")
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        self.init(word(0), word(1), word(2), word(3))
    }

    /// Reads 64 hexadecimal digits, of either case.
    package init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, digit) in digits.enumerated() {
            guard let value = Hex.value(of: digit) else { return nil }
            words[index / 16] = words[index / 16] << 4 | UInt64(value)
        }
        self.init(words[0], words[1], words[2], words[3])
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: 64) { target in
            writeHex(into: UnsafeMutableRawBufferPointer(target))
            return 64
        }
    }

    /// Writes the 64 digits of `hex` without allocating.
    package func writeHex(into target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= 64, "CacheKey: hexadecimal form needs 64 bytes")
        var position = 0
        for word in [word0, word1, word2, word3] {
            for shift in stride(from: 60, through: 0, by: -4) {
                target[position] = Hex.digit(UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15)
                position += 1
            }
        }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(word0) }
}

/// Hexadecimal digits, lower case out, either case in.
package enum Hex {
    package static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 + nibble : 87 + nibble }

    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 65...70: digit - 55
        case 97...102: digit - 87
        default: nil
        }
    }
}
