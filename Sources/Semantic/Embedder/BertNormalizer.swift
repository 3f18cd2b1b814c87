// The standard library has canonical decomposition and shares it with Foundation alone, which would cost the server
// megabytes.
@_spi(_Unicode) import Swift

/// BERT's text normalisation, as the `tokenizers` library of Hugging Face does it (normalizers/bert.rs): drop control
/// characters, put spaces around Chinese characters, decompose and drop accents, lower the case.
///
/// The library's tables of categories are those of Unicode 8 and its decompositions those of Unicode 12, so younger
/// characters count as unassigned here too.
struct BertNormalizer: Sendable, Equatable {
    var cleansText = true
    var spacesChinese = true
    var stripsAccents = true
    var lowersCase = true

    /// Appends the normalised text.
    func normalize(_ text: Substring.UnicodeScalarView, into target: inout [Unicode.Scalar]) {
        // Where marks started to follow one base: they have a canonical order.
        var runStart = target.count
        for scalar in text {
            if scalar.isASCII {
                appendASCII(scalar, &target)
                runStart = target.count
                continue
            }
            if cleansText {
                if BertCharacter.isRemoved(scalar) { continue }
                if scalar.properties.isWhitespace {
                    target.append(" ")
                    runStart = target.count
                    continue
                }
            }
            let isSpaced = spacesChinese && BertCharacter.isChinese(scalar)
            if isSpaced { target.append(" ") }
            if isSpaced { runStart = target.count }
            appendOther(scalar, &target, &runStart)
            if isSpaced {
                target.append(" ")
                runStart = target.count
            }
        }
    }

    @inline(__always)
    private func appendASCII(_ scalar: Unicode.Scalar, _ target: inout [Unicode.Scalar]) {
        switch scalar.value {
        case 0x41...0x5A where lowersCase:
            // Every ASCII value is a scalar.
            target.append(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value | 0x20)))
        case 0x20...0x7E: target.append(scalar)
        case 0x09 where cleansText, 0x0A where cleansText, 0x0D where cleansText: target.append(" ")
        default: if !cleansText { target.append(scalar) }
        }
    }

    private func appendOther(
        _ scalar: Unicode.Scalar, _ target: inout [Unicode.Scalar], _ runStart: inout Int
    ) {
        guard stripsAccents else {
            appendLowered(scalar, &target)
            return
        }
        guard BertCharacter.mayDecompose(scalar) else {
            appendMark(scalar, &target, &runStart)
            return
        }
        for part in String(scalar)._nfd { appendMark(part, &target, &runStart) }
    }

    /// Appends a part of a decomposition unless it is an accent; what is left of a run of marks is kept in order.
    private func appendMark(_ scalar: Unicode.Scalar, _ target: inout [Unicode.Scalar], _ runStart: inout Int) {
        let order = BertCharacter.combiningClass(scalar)
        if order == 0 { runStart = target.count }
        if BertCharacter.isAccent(scalar) { return }
        guard order != 0 else {
            appendLowered(scalar, &target)
            return
        }
        var place = target.count
        while place > runStart, BertCharacter.combiningClass(target[place - 1]) > order { place -= 1 }
        target.insert(scalar, at: place)
    }

    private func appendLowered(_ scalar: Unicode.Scalar, _ target: inout [Unicode.Scalar]) {
        guard lowersCase, scalar.properties.changesWhenLowercased else {
            target.append(scalar)
            return
        }
        target.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
    }
}

/// Classes of characters as BERT's reference draws them.
enum BertCharacter {
    /// Control and format characters, private use, the null and the replacement character; not tab and line ends.
    static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0, 0xFFFD: return true
        case 0x09, 0x0A, 0x0D: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse: return isKnown(scalar)
        default: return false
        }
    }

    /// The ideographs that BERT's authors listed, with their misprint of one bound (2B920 for 2B820).
    static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0..<0x80: return false
        // Their category changed after Unicode 8.
        case 0x166D, 0x111C9: return true
        default: break
        }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return isKnown(scalar)
        default: return false
        }
    }

    /// A mark without width of its own.
    static func isAccent(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Their category changed after Unicode 8.
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false
        case 0x1734, 0x1171E: true
        default: scalar.properties.generalCategory == .nonspacingMark && isKnown(scalar)
        }
    }

    static func mayDecompose(_ scalar: Unicode.Scalar) -> Bool {
        if (0x3400...0x9FFF).contains(scalar.value) || scalar.value < 0xC0 { return false }
        return isOfUnicode(12, scalar)
    }

    static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
        guard scalar.value >= 0x300 else { return 0 }
        let order = scalar.properties.canonicalCombiningClass.rawValue
        return order != 0 && isOfUnicode(12, scalar) ? order : 0
    }

    private static func isKnown(_ scalar: Unicode.Scalar) -> Bool { isOfUnicode(8, scalar) }

    private static func isOfUnicode(_ version: Int, _ scalar: Unicode.Scalar) -> Bool {
        // Private use and the like have no age: they were always there.
        (scalar.properties.age?.major ?? 0) <= version
    }
}
