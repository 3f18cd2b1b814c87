/// What a scalar is to the guards.
enum ScalarClass {
    /// Full-width forms and the digits of all scripts become ASCII, letters lower case, quotation marks and dashes one of a kind.
    @inline(__always)
    static func fold(_ scalar: Unicode.Scalar) -> UInt32 {
        let value = scalar.value
        if value < 0x80 { return value >= 0x41 && value <= 0x5A ? value | 0x20 : value }
        return foldOther(scalar, value)
    }

    private static func foldOther(_ scalar: Unicode.Scalar, _ value: UInt32) -> UInt32 {
        switch value {
        case 0x4E00...0x9FFF: return value
        case 0xFF01...0xFF5E:
            let ascii = value - 0xFEE0
            return ascii >= 0x41 && ascii <= 0x5A ? ascii | 0x20 : ascii
        case 0x3000, 0xA0, 0x2000...0x200B, 0xFEFF: return 0x20
        case 0x2018, 0x2019, 0x2032, 0x02BC: return 0x27
        case 0x201C, 0x201D, 0x201F, 0xAB, 0xBB, 0x2033: return 0x22
        case 0x2010...0x2015, 0x2212: return 0x2D
        case 0xFFE5: return 0xA5
        default:
            if scalar.properties.numericType == .decimal, let digit = scalar.properties.numericValue {
                return 0x30 + UInt32(digit)
            }
            guard scalar.properties.isUppercase else { return value }
            let lowered = scalar.properties.lowercaseMapping.unicodeScalars
            return lowered.count == 1 ? lowered.first?.value ?? value : value
        }
    }

    @inline(__always) static func isDigit(_ scalar: UInt32) -> Bool { scalar >= 0x30 && scalar <= 0x39 }

    /// ½, ⅓: a number by itself or behind one.
    static func fraction(_ scalar: UInt32) -> Double? {
        guard (0xBC...0xBE).contains(scalar) || (0x2150...0x215E).contains(scalar) else { return nil }
        return Unicode.Scalar(scalar)?.properties.numericValue
    }

    /// Chinese characters and kana: scripts without spaces, one token a character.
    @inline(__always) static func isHan(_ scalar: UInt32) -> Bool {
        guard scalar >= 0x3005 else { return false }
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x3005...0x3007, 0x3040...0x30FF, 0xF900...0xFAFF, 0x20000...0x323AF:
            return true
        default: return false
        }
    }

    /// Of a script that separates its words.
    @inline(__always) static func isLetter(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return scalar >= 0x61 && scalar <= 0x7A }
        if isHan(scalar) { return false }
        guard let known = Unicode.Scalar(scalar) else { return false }
        // Marks belong to the letter before them.
        return known.properties.isAlphabetic || known.properties.generalCategory == .nonspacingMark
    }

    @inline(__always) static func isSpace(_ scalar: UInt32) -> Bool {
        scalar >= 0x80 && (Unicode.Scalar(scalar)?.properties.isWhitespace ?? false)
    }

    static func isSentenceMark(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x2E, 0x21, 0x3F, 0x3B, 0x3A, 0x3002, 0x2026: true
        default: false
        }
    }

    static func endsPath(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x22, 0x27, 0x60, 0x28, 0x29, 0x3C, 0x3E, 0x3001, 0x3002, 0x300C...0x3011: true
        default: isHan(scalar) || isSpace(scalar)
        }
    }

    static func closingQuote(_ scalar: UInt32) -> UInt32? {
        switch scalar {
        case 0x22, 0x27, 0x60: scalar
        case 0x300C: 0x300D
        case 0x300E: 0x300F
        case 0x300A: 0x300B
        case 0x300D, 0x300F, 0x300B: scalar
        default: nil
        }
    }

    /// Operators, currencies, degrees, pictures: what cannot be left out without a change of sense.
    static func isMeaningful(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x2B, 0x2A, 0x3D, 0x3C, 0x3E, 0x5E, 0x25, 0x24, 0xD7, 0xF7: return true
        default:
            guard scalar >= 0x80, let known = Unicode.Scalar(scalar) else { return false }
            switch known.properties.generalCategory {
            case .currencySymbol, .mathSymbol, .otherSymbol, .otherNumber, .letterNumber, .decimalNumber: return true
            default: return false
            }
        }
    }
}
