/// A word, a Chinese character, a number or a symbol that counts, as the guards see it.
struct GuardToken: Sendable, Equatable {
    enum Form: UInt8, Sendable {
        case word, han, number, symbol
        /// An identifier, a path, a flag, an address: compared letter by letter.
        case code
    }

    struct Traits: OptionSet, Sendable, Equatable {
        let rawValue: UInt8
        static let capital = Traits(rawValue: 1)
        static let allCapitals = Traits(rawValue: 2)
        static let startsSentence = Traits(rawValue: 4)
        /// Follows the token before it without a gap: the `kg` of `60kg`.
        static let isGlued = Traits(rawValue: 8)
        /// Between the fences of a code block, where every character counts.
        static let isFenced = Traits(rawValue: 16)
        static let isQuoted = Traits(rawValue: 32)
    }

    var form: Form
    var traits: Traits
    /// Of the folded spelling, and of the word without its ending.
    var hash: UInt64
    var stem: UInt64
    /// A bit for each of the first letters that are capital.
    var capitals: UInt64 = 0
    /// Scalars of the text.
    var lower: Int32
    var upper: Int32

    var range: Range<Int> { Int(lower)..<Int(upper) }
}

/// FNV-1a (Fowler, Noll, Vo) over scalars, with the finishing steps of SplitMix64 because the table looks at low bits.
struct WordHash: Sendable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    mutating func add(_ scalar: UInt32) {
        state = (state ^ UInt64(scalar)) &* 0x0000_0100_0000_01B3
    }

    @inline(__always)
    var value: UInt64 {
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    static func of(_ scalars: some Sequence<UInt32>) -> UInt64 {
        var hash = WordHash()
        for scalar in scalars { hash.add(scalar) }
        return hash.value
    }

    static func of(_ word: StaticString) -> UInt64 {
        word.withUTF8Buffer { of($0.lazy.map { UInt32($0) }) }
    }
}

/// A light English stemmer: plurals, -ing, -ed and the mute e, so that a word meets its own forms. After the plural
/// rules of Harman, "How effective is suffixing?" (JASIS 1991); no table of exceptions beyond words that would meet
/// another one.
enum Stemmer {
    /// `evening` is not `even`, `news` not `new`.
    private static let kept: Set<UInt64> = [
        WordHash.of("news"), WordHash.of("evening"), WordHash.of("lens"), WordHash.of("does"), WordHash.of("hundred"),
        WordHash.of("wedding"), WordHash.of("species"), WordHash.of("series"), WordHash.of("always"),
        WordHash.of("united"), WordHash.of("beijing"), WordHash.of("meeting"), WordHash.of("ceiling"),
    ]

    static func hash(of word: ArraySlice<UInt32>, spelled: UInt64) -> UInt64 {
        guard word.count > 3, !kept.contains(spelled) else { return spelled }
        var end = word.endIndex
        func has(_ suffix: StaticString) -> Bool {
            let count = suffix.utf8CodeUnitCount
            guard end - word.startIndex > count else { return false }
            return suffix.withUTF8Buffer { bytes in
                for offset in 0..<count where word[end - count + offset] != UInt32(bytes[offset]) { return false }
                return true
            }
        }
        if has("s"), !has("ss"), !has("us"), !has("is") {
            if has("ies"), end - word.startIndex > 4 {
                return hash(word[..<(end - 3)], 0x79)
            }
            end -= has("sses") || has("shes") || has("ches") || has("xes") || has("zes") ? 2 : 1
        }
        if has("ied"), end - word.startIndex > 4 { return hash(word[..<(end - 3)], 0x79) }
        let cut = has("ing") ? 3 : has("ed") && !has("eed") ? 2 : 0
        if cut > 0, end - cut - word.startIndex > 2, word[..<(end - cut)].contains(where: isVowel) {
            end -= cut
            let last = word[end - 1]
            if last == word[end - 2], last != 0x6C, last != 0x73, last != 0x7A, !isVowel(last) { end -= 1 }
        }
        if end - word.startIndex > 3, word[end - 1] == 0x65 { end -= 1 }
        return hash(word[..<end], nil)
    }

    private static func hash(_ word: ArraySlice<UInt32>, _ tail: UInt32?) -> UInt64 {
        var hash = WordHash()
        for scalar in word { hash.add(scalar) }
        if let tail { hash.add(tail) }
        return hash.value
    }

    private static func isVowel(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x61, 0x65, 0x69, 0x6F, 0x75, 0x79: true
        default: false
        }
    }
}
