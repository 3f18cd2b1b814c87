/// Cuts a text into what the guards compare: lower-cased words, single Chinese characters, numbers, identifiers and the
/// symbols that carry meaning. Punctuation goes, except inside code.
///
/// One pass, each scalar is looked at a bounded number of times.
struct GuardTokenizer {
    /// Folded: full-width forms as ASCII, letters in lower case, curly quotes straight.
    private(set) var scalars: [UInt32] = []
    private(set) var tokens: [GuardToken] = []
    /// What stands between quotation marks, and where the opening mark was.
    private(set) var quotations: [Range<Int>] = []
    private var isCapital: [Bool] = []
    private var position = 0
    private var startsSentence = true
    private var isFenced = false
    private var openQuote: (mark: UInt32, at: Int, token: Int)?

    init(_ text: String) {
        let count = text.utf8.count
        scalars.reserveCapacity(count)
        isCapital.reserveCapacity(count)
        tokens.reserveCapacity(count / 4 + 4)
        for scalar in text.unicodeScalars {
            let folded = ScalarClass.fold(scalar)
            scalars.append(folded)
            isCapital.append(folded != scalar.value && ScalarClass.isLetter(folded))
        }
        while position < scalars.count { step() }
    }

    private func at(_ offset: Int) -> UInt32 {
        let index = position + offset
        return index >= 0 && index < scalars.count ? scalars[index] : 0
    }

    private mutating func step() {
        let scalar = scalars[position]
        if scalar <= 0x20 || ScalarClass.isSpace(scalar) {
            if scalar == 0x0A { startsSentence = true }
            position += 1
        } else if ScalarClass.isDigit(scalar) || ScalarClass.fraction(scalar) != nil {
            number()
        } else if ScalarClass.isHan(scalar) {
            emit(.han, position..<(position + 1))
        } else if ScalarClass.isLetter(scalar) || scalar == 0x5F {
            word()
        } else {
            mark(scalar)
        }
    }

    private mutating func emit(_ form: GuardToken.Form, _ range: Range<Int>, _ spelling: Range<Int>? = nil) {
        let word = scalars[spelling ?? range]
        let hash = WordHash.of(word)
        var traits: GuardToken.Traits = []
        if startsSentence { traits.insert(.startsSentence) }
        if isFenced { traits.insert(.isFenced) }
        if openQuote != nil { traits.insert(.isQuoted) }
        if let last = tokens.last, Int(last.upper) == range.lowerBound { traits.insert(.isGlued) }
        if isCapital[range.lowerBound] {
            traits.insert(.capital)
            if range.count > 1, isCapital[range.lowerBound + 1] { traits.insert(.allCapitals) }
        }
        tokens.append(
            GuardToken(
                form: form, traits: traits, hash: hash,
                stem: form == .word || form == .code && word.allSatisfy(ScalarClass.isLetter)
                    ? Stemmer.hash(of: word, spelled: hash) : hash,
                capitals: range.prefix(64).reduce(0) { $0 << 1 | (isCapital[$1] ? 1 : 0) },
                lower: Int32(range.lowerBound), upper: Int32(range.upperBound)))
        startsSentence = false
        position = max(position, range.upperBound)
    }

    /// Digits with separators between them; `1,000` and `3.12` are one number, `1, 2` two.
    private mutating func number() {
        let start = position
        var end = start
        while end < scalars.count {
            if ScalarClass.isDigit(scalars[end]) {
                end += 1
            } else if scalars[end] == 0x2C || scalars[end] == 0x2E, end + 1 < scalars.count,
                ScalarClass.isDigit(scalars[end + 1]), scalars[end] == 0x2E || isThousand(end)
            {
                end += 1
            } else {
                break
            }
        }
        if end < scalars.count, ScalarClass.fraction(scalars[end]) != nil {
            return emit(.number, start..<(end + 1))
        }
        // A mixture of digits and letters that is no number with a unit is a name: 0x1f, 7z_file.
        var tail = end
        while tail < scalars.count,
            ScalarClass.isLetter(scalars[tail]) || ScalarClass.isDigit(scalars[tail])
                || scalars[tail] == 0x5F
        {
            tail += 1
        }
        if tail > end, scalars[end..<tail].contains(where: { ScalarClass.isDigit($0) || $0 == 0x5F }) {
            emit(.code, start..<tail)
        } else {
            emit(.number, start..<end)
        }
    }

    /// A comma that has exactly three digits behind it.
    private func isThousand(_ comma: Int) -> Bool {
        guard comma + 3 < scalars.count else { return false }
        for offset in 1...3 where !ScalarClass.isDigit(scalars[comma + offset]) { return false }
        return comma + 4 >= scalars.count || !ScalarClass.isDigit(scalars[comma + 4])
    }

    private mutating func word() {
        let start = position
        var end = start
        var isName = false
        while end < scalars.count {
            let scalar = scalars[end]
            if ScalarClass.isLetter(scalar) || ScalarClass.isDigit(scalar) {
                if end > start, isCapital[end], !isCapital[end - 1], !ScalarClass.isDigit(scalars[end - 1]) {
                    isName = true
                }
                end += 1
            } else if scalar == 0x5F {
                isName = true
                end += 1
            } else if joins(end, scalar) {
                isName = isName || scalar != 0x27
                end += 1
            } else {
                break
            }
        }
        if end + 2 < scalars.count, scalars[end] == 0x3A, scalars[end + 1] == 0x2F, scalars[end + 2] == 0x2F {
            return path(from: start)
        }
        if end < scalars.count, scalars[end] == 0x40, end + 1 < scalars.count, ScalarClass.isLetter(scalars[end + 1]) {
            return path(from: start)
        }
        end = withSigns(start, end)
        // The name is the same in `GitHub's`.
        if isName, end - start > 2, scalars[end - 1] == 0x73, scalars[end - 2] == 0x27 {
            emit(.code, start..<(end - 2))
            position = end
        } else if isName {
            emit(.code, start..<end)
        } else if scalars[start..<end].contains(where: ScalarClass.isDigit) {
            mixed(start..<end)
        } else {
            plainWord(start..<end)
        }
    }

    /// Letters and digits apart, so that `gpt4` meets `GPT-4` and `num1` differs from `num2` by a number.
    private mutating func mixed(_ range: Range<Int>) {
        var start = range.lowerBound
        for index in range
        where index > start && ScalarClass.isDigit(scalars[index]) != ScalarClass.isDigit(scalars[start]) {
            emit(ScalarClass.isDigit(scalars[start]) ? .number : .word, start..<index)
            start = index
        }
        emit(ScalarClass.isDigit(scalars[start]) ? .number : .word, start..<range.upperBound)
    }

    /// A point or an apostrophe between two letters belongs to the word: `node.js`, `don't`.
    private func joins(_ end: Int, _ scalar: UInt32) -> Bool {
        guard scalar == 0x27 || scalar == 0x2E, end > 0, end + 1 < scalars.count else { return false }
        guard ScalarClass.isLetter(scalars[end + 1]) else { return false }
        return scalar == 0x27 || !isCapital[end + 1]
    }

    /// `c++`, `c#`, `f#`.
    private func withSigns(_ start: Int, _ end: Int) -> Int {
        guard end - start <= 2, end < scalars.count else { return end }
        if scalars[end] == 0x23 { return end + 1 }
        if scalars[end] == 0x2B, end + 1 < scalars.count, scalars[end + 1] == 0x2B { return end + 2 }
        return end
    }

    /// Undoes contractions: `don't` is two words, `what's` is `what`.
    private mutating func plainWord(_ range: Range<Int>) {
        let word = scalars[range]
        guard let apostrophe = word.lastIndex(of: 0x27) else {
            if let base = Contractions.bare[WordHash.of(word)] {
                emit(.word, range, range.lowerBound..<(range.lowerBound + base))
                return emitNegator(range)
            }
            return emit(.word, range)
        }
        let tail = word[(apostrophe + 1)...]
        // `wan't` is a slip for `want`.
        if tail.elementsEqual([0x74]), apostrophe - 1 > range.lowerBound, scalars[apostrophe - 1] == 0x6E,
            WordHash.of(word) != Contractions.slip
        {
            // can't keeps its n, won't is irregular; either way it is an auxiliary that means little beside the not.
            emit(.word, range, range.lowerBound..<(apostrophe - 1))
            return emitNegator(range)
        }
        if Contractions.endings.contains(WordHash.of(tail)), apostrophe > range.lowerBound {
            return emit(.word, range, range.lowerBound..<apostrophe)
        }
        emit(.word, range)
    }

    private mutating func emitNegator(_ range: Range<Int>) {
        tokens.append(
            GuardToken(
                form: .word, traits: [], hash: Contractions.not, stem: Contractions.not,
                lower: Int32(range.lowerBound), upper: Int32(range.upperBound)))
    }

    /// Up to the next space, quotation mark or Chinese character; the full stop of the sentence is not part of it.
    private mutating func path(from start: Int) {
        var end = start
        while end < scalars.count, scalars[end] > 0x20, !ScalarClass.endsPath(scalars[end]) { end += 1 }
        while end > start + 1, ScalarClass.isSentenceMark(scalars[end - 1]) || scalars[end - 1] == 0x2C { end -= 1 }
        emit(.code, start..<max(end, start + 1))
    }

    private mutating func mark(_ scalar: UInt32) {
        if scalar == 0x60, at(1) == 0x60, at(2) == 0x60 {
            isFenced.toggle()
            position += 3
            return
        }
        if isFenced { return emit(.symbol, position..<(position + 1)) }
        let before = at(-1)
        let after = at(1)
        let startsWord = position == 0 || before <= 0x20 || ScalarClass.isHan(before) || before == 0x28
        let isWordNext = ScalarClass.isLetter(after)
        if scalar == 0x2D, startsWord, isWordNext || after == 0x2D && ScalarClass.isLetter(at(2)) {
            return path(from: position)
        }
        if scalar == 0x2F || scalar == 0x7E, startsWord, isWordNext || after == 0x2F { return path(from: position) }
        if scalar == 0x2E, startsWord, isWordNext { return path(from: position) }
        if ScalarClass.isSentenceMark(scalar) { startsSentence = true }
        if let closing = ScalarClass.closingQuote(scalar) { return quote(scalar, closing) }
        if ScalarClass.isMeaningful(scalar) || isBetweenNumbers(scalar) {
            return emit(.symbol, position..<(position + 1))
        }
        position += 1
    }

    /// A minus or a division, not a dash and not a slash between words.
    private func isBetweenNumbers(_ scalar: UInt32) -> Bool {
        guard scalar == 0x2D || scalar == 0x2F || scalar == 0x3A else { return false }
        let before = at(-1) == 0x20 ? at(-2) : at(-1)
        let after = at(1) == 0x20 ? at(2) : at(1)
        return ScalarClass.isDigit(before) && ScalarClass.isDigit(after)
    }

    private mutating func quote(_ scalar: UInt32, _ closing: UInt32) {
        if let open = openQuote, scalar == open.mark {
            // An apostrophe inside single quotation marks closes nothing.
            if scalar == 0x27, ScalarClass.isLetter(at(1)) {
                position += 1
                return
            }
            if open.token < tokens.count { quotations.append(open.token..<tokens.count) }
            openQuote = nil
        } else if openQuote == nil, hasClosing(closing) {
            let before = at(-1)
            if scalar != 0x27 || !ScalarClass.isLetter(before) {
                openQuote = (closing, position, tokens.count)
            }
        } else if let open = openQuote, position - open.at > Self.longestQuotation {
            openQuote = nil
        }
        position += 1
    }

    /// Longer ones are passages, not names.
    private static let longestQuotation = 120

    private func hasClosing(_ mark: UInt32) -> Bool {
        let end = min(scalars.count, position + Self.longestQuotation)
        guard position + 1 < end else { return false }
        return scalars[(position + 1)..<end].contains(mark)
    }
}

enum Contractions {
    static let not = WordHash.of("not")
    static let slip = WordHash.of("wan't")
    /// What follows the apostrophe and says nothing.
    static let endings: Set<UInt64> = [
        WordHash.of("s"), WordHash.of("re"), WordHash.of("ve"), WordHash.of("ll"), WordHash.of("d"), WordHash.of("m"),
    ]
    /// Written without the apostrophe, and how many letters are the verb.
    static let bare: [UInt64: Int] = [
        WordHash.of("cannot"): 3, WordHash.of("cant"): 3, WordHash.of("dont"): 2, WordHash.of("doesnt"): 4,
        WordHash.of("didnt"): 3, WordHash.of("isnt"): 2, WordHash.of("arent"): 3, WordHash.of("wasnt"): 3,
        WordHash.of("werent"): 4, WordHash.of("wont"): 2, WordHash.of("wouldnt"): 5, WordHash.of("shouldnt"): 6,
        WordHash.of("couldnt"): 5, WordHash.of("hasnt"): 3, WordHash.of("havent"): 4, WordHash.of("hadnt"): 3,
        WordHash.of("mustnt"): 4, WordHash.of("aint"): 2,
    ]
}
