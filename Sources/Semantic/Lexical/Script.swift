/// The writing systems that encoders differ in. Digits, punctuation and symbols belong to none.
package enum Script: String, Sendable, CaseIterable {
    case latin, greek, cyrillic, hebrew, arabic, devanagari, thai, hangul, kana, han
    /// Any other letters.
    case other

    /// nil for what is no letter.
    package init?(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x41...0x5A, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x24F, 0x1E00...0x1EFF, 0xFF21...0xFF3A,
            0xFF41...0xFF5A:
            self = .latin
        case 0x00...0x2AF: return nil
        case 0x370...0x3FF, 0x1F00...0x1FFF: self = .greek
        case 0x400...0x52F: self = .cyrillic
        case 0x591...0x5F4: self = .hebrew
        case 0x600...0x6FF, 0x750...0x77F, 0x8A0...0x8FF, 0xFB50...0xFDFF, 0xFE70...0xFEFC: self = .arabic
        case 0x900...0x97F: self = .devanagari
        case 0xE00...0xE7F: self = .thai
        case 0x1100...0x11FF, 0x3130...0x318F, 0xAC00...0xD7AF: self = .hangul
        case 0x3041...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9D: self = .kana
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x2_0000...0x3_FFFF: self = .han
        default:
            guard scalar.properties.isAlphabetic else { return nil }
            self = .other
        }
    }

    /// Whether words stand in it without blanks between them, and few characters make one.
    package var isDense: Bool {
        switch self {
        case .han, .kana, .hangul, .thai: true
        case .latin, .greek, .cyrillic, .hebrew, .arabic, .devanagari, .other: false
        }
    }
}
