/// What is spelled alike and is not the same where spelling counts: operators and letters of code, and whatever a text
/// asks about wording itself.
struct SpellingGuard {
    private(set) var objections: [GuardObjection] = []

    init(_ comparison: Comparison) {
        let (new, old) = (comparison.new, comparison.old)
        guard new.text != old.text else { return }
        if let objection = Self.signs(comparison) ?? Self.letters(comparison) ?? Self.wording(comparison)
            ?? Self.lines(comparison)
        {
            objections.append(objection)
        }
    }

    /// Whether all words are the same, whatever their order.
    private static func hasSameWords(_ comparison: Comparison) -> Bool {
        !comparison.newUnmatched.contains(true) && !comparison.oldUnmatched.contains(true)
            && comparison.typingErrors == 0
    }

    private static func signs(_ comparison: Comparison) -> GuardObjection? {
        let (signs, others) = (comparison.new.signs, comparison.old.signs)
        let isSame = hasSameWords(comparison)
        var new = unmatched(signs, others, by: \.hash)
        var old = unmatched(others, signs, by: \.hash)
        if new == nil, old == nil {
            // `A ⊂ B` and `B ⊂ A`
            guard isSame, !comparison.hunks.isEmpty else { return nil }
            new = unmatched(signs, others, by: \.around)
            old = unmatched(others, signs, by: \.around)
        }
        // Where only one has some, it may be another way of writing.
        guard new != nil && old != nil || (new != nil || old != nil) && isSame else { return nil }
        let left = new.map { comparison.new.spelled(scalars: $0.range) } ?? ""
        let right = old.map { comparison.old.spelled(scalars: $0.range) } ?? ""
        return GuardObjection(.code, "\(left) / \(right)")
    }

    /// The first that the other text does not have, or not as often.
    private static func unmatched(_ signs: [Sign], _ others: [Sign], by hash: KeyPath<Sign, UInt64>) -> Sign? {
        guard !signs.isEmpty else { return nil }
        var left: [UInt64: Int] = [:]
        for other in others { left[other[keyPath: hash], default: 0] += 1 }
        return signs.first { sign in
            guard let count = left[sign[keyPath: hash]], count > 0 else { return true }
            left[sign[keyPath: hash]] = count - 1
            return false
        }
    }

    /// `-r` and `-R`, `userId` and `userID`, and `x` and `X` among operators.
    private static func letters(_ comparison: Comparison) -> GuardObjection? {
        let hasSigns = !comparison.new.signs.isEmpty && !comparison.old.signs.isEmpty
        let new = spellings(comparison.new, hasSigns: hasSigns)
        let old = spellings(comparison.old, hasSigns: hasSigns)
        for index in comparison.new.tokens.indices {
            let word = comparison.new.tokens[index].hash
            guard let ours = new[word], let theirs = old[word], ours.isDisjoint(with: theirs) else { continue }
            return GuardObjection(.code, comparison.new.spelled(index..<(index + 1)))
        }
        return nil
    }

    /// How words whose capital letters count are written, by their folded spelling.
    private static func spellings(_ text: PreparedText, hasSigns: Bool) -> [UInt64: Set<UInt64>] {
        var found: [UInt64: Set<UInt64>] = [:]
        for (index, token) in text.tokens.enumerated() where counts(index, text, hasSigns: hasSigns) {
            found[token.hash, default: []].insert(token.capitals)
        }
        return found
    }

    /// An article and a pronoun.
    private static let sentenceLetters: Set<UInt64> = [WordHash.of("a"), WordHash.of("i")]

    private static func counts(_ index: Int, _ text: PreparedText, hasSigns: Bool) -> Bool {
        let token = text.tokens[index]
        if token.form == .word, token.range.count == 1, hasSigns { return !sentenceLetters.contains(token.hash) }
        return token.traits.contains(.isFenced) || isCode(token, text)
    }

    /// Not those that people write as they like: `Node.js`.
    private static func isCode(_ token: GuardToken, _ text: PreparedText) -> Bool {
        guard token.form == .code else { return false }
        let scalars = text.scalars[token.range]
        return scalars.contains(0x2F) || scalars.first == 0x2D || !scalars.contains(0x2E)
    }

    /// The same words, spelled or put otherwise, where that is what is asked about.
    private static func wording(_ comparison: Comparison) -> GuardObjection? {
        let isSame =
            hasSameWords(comparison) && comparison.hunks.isEmpty && comparison.synonyms == 0
            || differsInMarks(comparison)
        let words = isSame ? spellingWords.union(wordingWords) : comparison.typingErrors > 0 ? spellingWords : []
        guard
            let word = comparison.new.tokens.indices.first(where: {
                let token = comparison.new.tokens[$0]
                // `Word` is a program.
                // `800 words` says how long.
                return words.contains(token.stem)
                    && !($0 > 0 && comparison.new.tokens[$0 - 1].form == .number)
                    && (!token.traits.contains(.capital) || token.traits.contains(.startsSentence))
            }),
            plain(comparison.new.text) != plain(comparison.old.text)
        else { return nil }
        return GuardObjection(.code, comparison.new.spelled(word..<(word + 1)))
    }

    private static func stems(_ words: String) -> Set<UInt64> { Set(GuardTokenizer(words).tokens.map(\.stem)) }

    private static let spellingWords = stems(
        """
        spell spelled spelling spelt punctuation punctuate pronounce pronunciation capitalize capitalization grammar
        grammatical typo proofread comma apostrophe accent umlaut
        """)
    private static let wordingWords = stems(
        "uppercase lowercase letter character string repeat reverse palindrome anagram space whitespace word")

    /// Words that are alike but for the marks on their letters: `año` and `ano`.
    private static func differsInMarks(_ comparison: Comparison) -> Bool {
        func marked(_ text: PreparedText, _ unmatched: [Bool]) -> Bool {
            text.tokens.indices.contains { index in
                unmatched[index] && text.scalars[text.tokens[index].range].contains { $0 >= 0xC0 && $0 < 0x250 }
            }
        }
        return marked(comparison.new, comparison.newUnmatched) || marked(comparison.old, comparison.oldUnmatched)
    }

    /// How the lines of code are indented.
    private static func lines(_ comparison: Comparison) -> GuardObjection? {
        guard hasSameWords(comparison), comparison.hunks.isEmpty else { return nil }
        let isFenced = comparison.new.tokens.contains { $0.traits.contains(.isFenced) }
        let (new, old) = (indentation(comparison.new.text), indentation(comparison.old.text))
        guard new != old, isFenced || new.contains(where: { $0 > 0 }) || old.contains(where: { $0 > 0 }) else {
            return nil
        }
        return GuardObjection(.code, "indentation")
    }

    /// Blanks at the start of each line that has something in it, but the first.
    private static func indentation(_ text: String) -> [Int] {
        text.utf8.split(separator: 0x0A).dropFirst().compactMap { line in
            line.firstIndex { $0 > 0x20 }.map { line.distance(from: line.startIndex, to: $0) }
        }
    }

    /// Without the blanks around it and the marks at its end, and whatever the case of the words' first letters.
    private static func plain(_ text: String) -> [UInt32] {
        var scalars = Array(text.unicodeScalars.lazy.map(\.value).drop { $0 <= 0x20 })
        while let last = scalars.last, last <= 0x20 || [0x2E, 0x3F, 0x21, 0x3002, 0xFF1F, 0xFF01].contains(last) {
            scalars.removeLast()
        }
        for index in scalars.indices where index == 0 || scalars[index - 1] == 0x20 {
            if (0x41...0x5A).contains(scalars[index]) { scalars[index] |= 0x20 }
        }
        return scalars
    }
}
