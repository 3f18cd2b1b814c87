/// A run of operators, brackets and the like that is no punctuation of a sentence: `&&`, `\`, `[^`, `,}`.
struct Sign: Sendable, Equatable {
    /// Of its spelling, the letter behind a backslash included, and of the side on which it touches a word.
    var hash: UInt64
    /// Of the words on either side of it.
    var around: UInt64
    /// Scalars of the text.
    var range: Range<Int>

    /// Those of a text, in order. One pass over it.
    static func read(_ text: String) -> [Sign] {
        let scalars = text.unicodeScalars.map(\.value)
        var found: [Sign] = []
        var index = 0
        while index < scalars.count {
            guard isPart(scalars[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < scalars.count, isPart(scalars[index]) { index += 1 }
            let run = withoutPunctuation(start..<index, scalars)
            if !run.isEmpty, !isProse(run, scalars) { found.append(Sign(run, scalars)) }
        }
        return found
    }

    private init(_ run: Range<Int>, _ scalars: [UInt32]) {
        var end = run.upperBound
        // `\s` is not `\S`.
        if scalars[end - 1] == 0x5C, end < scalars.count { end += 1 }
        var hash = WordHash.of(scalars[run.lowerBound..<end])
        let touchesBefore = run.lowerBound > 0 && Sign.isOfWord(scalars[run.lowerBound - 1])
        let touchesBehind = end < scalars.count && Sign.isOfWord(scalars[end])
        // `a + b` is `a+b`, but `i++` is not `++i`.
        if touchesBefore != touchesBehind { hash ^= touchesBefore ? 1 : 2 }
        self.hash = hash
        // Sums and products are the same both ways.
        let isEven = run.count == 1 && [0x2B, 0x2A].contains(scalars[run.lowerBound])
        around =
            isEven
            ? hash
            : WordHash.of(Sign.word(before: run.lowerBound, scalars) + [0] + Sign.word(behind: end, scalars)) ^ hash
        range = run.lowerBound..<end
    }

    private static let longestWord = 24

    private static func word(before end: Int, _ scalars: [UInt32]) -> ArraySlice<UInt32> {
        var upper = end
        while upper > 0, isBlank(scalars[upper - 1]) { upper -= 1 }
        var lower = upper
        while lower > 0, upper - lower < longestWord, isOfWord(scalars[lower - 1]) {
            lower -= 1
            if ScalarClass.isHan(scalars[lower]) { break }
        }
        return scalars[lower..<upper]
    }

    private static func word(behind start: Int, _ scalars: [UInt32]) -> ArraySlice<UInt32> {
        var lower = start
        while lower < scalars.count, isBlank(scalars[lower]) { lower += 1 }
        var upper = lower
        while upper < scalars.count, upper - lower < longestWord, isOfWord(scalars[upper]) {
            upper += 1
            if ScalarClass.isHan(scalars[upper - 1]) { break }
        }
        return scalars[lower..<upper]
    }

    /// Without the quotation marks and brackets that a sentence puts around words, and the marks at its end; empty where
    /// nothing else is left.
    private static func withoutPunctuation(_ run: Range<Int>, _ scalars: [UInt32]) -> Range<Int> {
        var (lower, upper) = (run.lowerBound, run.upperBound)
        if upper == scalars.count || isBlank(scalars[upper]) || ScalarClass.isHan(scalars[upper]) {
            while upper > lower, isPunctuation(scalars[upper - 1]) { upper -= 1 }
        }
        if lower == 0 || isBlank(scalars[lower - 1]) || ScalarClass.isHan(scalars[lower - 1]) {
            while lower < upper, isPunctuation(scalars[lower]) { lower += 1 }
        }
        // `??` on its own is spoken of; `really??` is not.
        if lower >= upper {
            let isAlone = run.lowerBound > 0 && isBlank(scalars[run.lowerBound - 1])
            let isAsked = run.count > 1 && scalars[run].allSatisfy { $0 == 0x3F } && run.upperBound < scalars.count
            return isAlone && isAsked ? run : upper..<upper
        }
        return scalars[lower..<upper].contains(where: isCore) ? lower..<upper : lower..<lower
    }

    /// `$5`, `50%`, `#1`, `18+`, `R&D`, and what starts an item of a list or a heading.
    private static func isProse(_ run: Range<Int>, _ scalars: [UInt32]) -> Bool {
        let before = run.lowerBound > 0 ? scalars[run.lowerBound - 1] : 0x0A
        let behind = run.upperBound < scalars.count ? scalars[run.upperBound] : 0x0A
        if before == 0x0A, isBlank(behind), [0x2A, 0x23, 0x2B, 0x3E].contains(scalars[run.lowerBound]) { return true }
        guard run.count == 1 else { return false }
        if isArithmetic(run.lowerBound, scalars) { return true }
        switch scalars[run.lowerBound] {
        case 0x24, 0x25: return ScalarClass.isDigit(before) || ScalarClass.isDigit(behind)
        case 0x23: return isBlank(before) && ScalarClass.isDigit(behind)
        case 0x7E: return isBlank(behind) || isBlank(before) && ScalarClass.isDigit(behind)
        case 0x2B:
            return isBlank(before) && ScalarClass.isDigit(behind) || ScalarClass.isDigit(before) && isBlank(behind)
        case 0x26: return true
        default: return false
        }
    }

    /// The plus, the percent and the equals of a sum in digits: `3+4=`, `12 %`. What it computes is told by the numbers.
    private static func isArithmetic(_ index: Int, _ scalars: [UInt32]) -> Bool {
        guard [0x2B, 0x3D, 0x25, 0xFF0B, 0xFF1D].contains(scalars[index]) else { return false }
        var before = index
        while before > 0, isBlank(scalars[before - 1]) { before -= 1 }
        var behind = index + 1
        while behind < scalars.count, isBlank(scalars[behind]) { behind += 1 }
        guard before > 0, ScalarClass.isDigit(scalars[before - 1]) || ScalarClass.isHan(scalars[before - 1]) else {
            return false
        }
        let next = behind < scalars.count ? scalars[behind] : 0x3F
        if scalars[index] == 0x25 { return !ScalarClass.isDigit(next) }
        if scalars[index] == 0x3D { return !ScalarClass.isLetter(next) }
        return ScalarClass.isDigit(next)
    }

    private static func isBlank(_ scalar: UInt32) -> Bool { scalar <= 0x20 || ScalarClass.isSpace(scalar) }

    private static func isOfWord(_ scalar: UInt32) -> Bool { !isBlank(scalar) && !isPart(scalar) }

    private static func isPart(_ scalar: UInt32) -> Bool { isCore(scalar) || isPunctuation(scalar) }

    /// = < > + * & | ^ ~ \ { } [ ] $ @ # %, and the operators of mathematics.
    private static func isCore(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x3D, 0x3C, 0x3E, 0x2B, 0x2A, 0x26, 0x7C, 0x5E, 0x7E, 0x5C, 0x7B, 0x7D, 0x5B, 0x5D, 0x24, 0x40, 0x23,
            0x25:
            return true
        case 0x2190...0x23FF: return true
        default: return false
        }
    }

    /// ! " ' ( ) , - . / : ; ?
    private static func isPunctuation(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x21, 0x22, 0x27...0x29, 0x2C...0x2F, 0x3A, 0x3B, 0x3F: true
        default: false
        }
    }
}
