/// Names, quotations, code, the texts' own language, and single words exchanged in long texts.
struct WordingGuard {
    private(set) var objections: [GuardObjection] = []
    private(set) var codeConflict = false
    private(set) var codeOneSided = false
    private(set) var quotedConflict = false
    private(set) var quotedOneSided = false
    private(set) var languageConflict = false
    private(set) var properConflict = 0
    private(set) var properOneSided = 0
    private(set) var substitutions = 0
    private(set) var taskConflict = false

    init(_ comparison: Comparison) {
        code(comparison)
        quoted(comparison)
        ownLanguage(comparison)
        otherLanguage(comparison)
        names(comparison)
        details(comparison)
        otherRequest(comparison)
        addedSentence(comparison)
        smallWords(comparison)
        persons(comparison)
    }

    private mutating func code(_ comparison: Comparison) {
        let new = Self.firstCode(comparison.new, comparison.newUnmatched)
        let old = Self.firstCode(comparison.old, comparison.oldUnmatched)
        codeOneSided = (new == nil) != (old == nil)
        guard let new, let old else { return }
        codeConflict = true
        objections.append(
            GuardObjection(
                .code,
                "\(comparison.new.spelled(new..<(new + 1))) / \(comparison.old.spelled(old..<(old + 1)))"))
    }

    private static func firstCode(_ text: PreparedText, _ unmatched: [Bool]) -> Int? {
        text.tokens.indices.first {
            unmatched[$0]
                && (text.tokens[$0].form == .code || text.tokens[$0].form == .symbol
                    || text.tokens[$0].traits.contains(.isFenced))
        }
    }

    private mutating func quoted(_ comparison: Comparison) {
        func differing(_ text: PreparedText, _ unmatched: [Bool]) -> Range<Int>? {
            text.quotations.first { $0.contains { unmatched[$0] } }
        }
        let new = differing(comparison.new, comparison.newUnmatched)
        let old = differing(comparison.old, comparison.oldUnmatched)
        quotedOneSided = (new == nil) != (old == nil)
        guard let new, let old else { return }
        quotedConflict = true
        objections.append(
            GuardObjection(.quoted, "\(comparison.new.spelled(new)) / \(comparison.old.spelled(old))"))
    }

    private mutating func ownLanguage(_ comparison: Comparison) {
        let (new, old) = (comparison.new.script, comparison.old.script)
        let differs =
            new.isChinese && old.isLatin || old.isChinese && new.isLatin
            || new.foreign != nil && old.foreign != nil && new.foreign != old.foreign
        guard differs else { return }
        languageConflict = true
        objections.append(GuardObjection(.language, "the texts are in two languages"))
    }

    private static let courtesies = Set(
        GuardTokenizer(LanguageWords.courtesies + " " + FunctionWords.courtesies).tokens.map(\.hash))

    /// In a language that no list covers only courtesies may differ, and what is no word.
    private mutating func otherLanguage(_ comparison: Comparison) {
        guard !comparison.new.isEnglishOrChinese || !comparison.old.isEnglishOrChinese else { return }
        func words(_ text: PreparedText) -> [UInt64] {
            text.tokens.map(\.hash).filter { !Self.courtesies.contains($0) }
        }
        guard words(comparison.new) != words(comparison.old) else { return }
        languageConflict = true
        objections.append(GuardObjection(.language, "other words in a language without word lists"))
    }

    /// Capital letters inside a sentence, letters among Chinese characters, members of a class of names.
    private mutating func names(_ comparison: Comparison) {
        let new = Names(comparison.new, comparison.newUnmatched)
        let old = Names(comparison.old, comparison.oldUnmatched)
        properConflict = min(new.count, old.count)
        properOneSided = abs(new.count - old.count)
        // All that differs are names: two questions about two things.
        guard new.isAll, old.isAll, !new.abbreviates(old), !old.abbreviates(new) else { return }
        objections.append(
            GuardObjection(
                .entity,
                "\(comparison.new.spelled(new.first..<(new.first + 1))) / "
                    + comparison.old.spelled(old.first..<(old.first + 1))))
    }

    /// The unmatched names of a text.
    private struct Names {
        var count = 0
        /// Nothing but names is unmatched.
        var isAll = false
        var first = 0
        private var initials: [UInt32] = []
        private var letters: [UInt32] = []

        private static let most = 4

        init(_ text: PreparedText, _ unmatched: [Bool]) {
            var others = 0
            let known = Set(text.mentions.filter(Names.isOfNames).map(\.tokens.lowerBound))
            for index in text.tokens.indices where unmatched[index] {
                guard Names.isName(text, index, known) else {
                    others += 1
                    continue
                }
                if count == 0 { first = index }
                count += 1
                initials.append(text.scalars[Int(text.tokens[index].lower)])
                letters = Array(text.scalars[text.tokens[index].range])
            }
            isAll = others == 0 && count > 0 && count <= Names.most
        }

        private static func isOfNames(_ mention: Mention) -> Bool {
            mention.sense.kind == .contrast
                && GuardLexicon.shared.classes[Int(mention.sense.group)].guardian == .entity
        }

        private static func isName(_ text: PreparedText, _ index: Int, _ known: Set<Int>) -> Bool {
            if known.contains(index) { return true }
            let token = text.tokens[index]
            guard token.form == .word || token.form == .code else { return false }
            return token.traits.contains(.capital) && !token.traits.contains(.startsSentence)
                || token.traits.contains(.allCapitals) || text.script.isChinese
        }

        /// `ML` and `Machine Learning`.
        func abbreviates(_ other: Names) -> Bool {
            count == 1 && letters.count > 1 && (letters == other.initials || other.letters.starts(with: letters))
        }
    }

    /// Words that stand alone between the same neighbours.
    private mutating func details(_ comparison: Comparison) {
        let hunks = comparison.hunks
        for (index, hunk) in hunks.enumerated() {
            let new = Self.onlyContent(hunk.new, comparison.new)
            let old = Self.onlyContent(hunk.old, comparison.old)
            guard !new.isEmpty, !old.isEmpty, !isSame(new, old, comparison) else { continue }
            substitutions += 1
            let distance = Self.neighbourhood
            let isAlone =
                (index == 0 || hunk.new.lowerBound - hunks[index - 1].new.upperBound >= distance)
                && (index == hunks.count - 1 || hunks[index + 1].new.lowerBound - hunk.new.upperBound >= distance)
            if comparison.isLong, isAlone, objections.count < Guards.mostObjections {
                objections.append(
                    GuardObjection(.detail, "\(comparison.new.spelled(hunk.new)) / \(comparison.old.spelled(hunk.old))")
                )
            }
        }
    }

    /// A typing error, another word for the same, or the first word of a request, which often is one.
    private func isSame(_ new: [Int], _ old: [Int], _ comparison: Comparison) -> Bool {
        if isSameSide(new, old, comparison) { return true }
        let starts = Self.startsRequest(comparison.new, new[0]) || Self.startsRequest(comparison.old, old[0])
        guard new.count == 1, old.count == 1 else {
            // Names may start a sentence too: capital letters go on behind the first word.
            return starts && !new.dropFirst().contains { comparison.new.tokens[$0].traits.contains(.capital) }
                && !old.dropFirst().contains { comparison.old.tokens[$0].traits.contains(.capital) }
        }
        let (a, b) = (comparison.new.tokens[new[0]], comparison.old.tokens[old[0]])
        guard a.form == .word, b.form == .word else { return false }
        return starts
            || Spelling.isSlip(comparison.new.scalars[a.range], comparison.old.scalars[b.range])
    }

    private static func startsRequest(_ text: PreparedText, _ index: Int) -> Bool {
        text.tokens[index].form == .word && text.tokens[index].traits.contains(.startsSentence)
    }

    /// Both are one end of the same axis: 增加 and 提高.
    private func isSameSide(_ new: [Int], _ old: [Int], _ comparison: Comparison) -> Bool {
        let left = comparison.new.mentions.filter { $0.sense.kind == .opposite && $0.tokens.lowerBound == new[0] }
        guard !left.isEmpty else { return false }
        return comparison.old.mentions.contains { mention in
            mention.tokens.lowerBound == old[0] && left.contains { $0.sense == mention.sense }
        }
    }

    /// Equal words on either side that make a difference a detail rather than a rewording.
    private static let neighbourhood = 4
    /// Longer ones are rewordings.
    private static let mostWords = 3
    static let articles: Set<UInt64> = [WordHash.of("the"), WordHash.of("a"), WordHash.of("an")]

    /// The few words with content of a difference that has nothing else in it but articles.
    private static func onlyContent(_ range: Range<Int>, _ text: PreparedText) -> [Int] {
        var found: [Int] = []
        var characters = 0
        for index in range where text.keys[index] != 0 && !articles.contains(text.tokens[index].hash) {
            guard text.isContent[index] else { return [] }
            if text.tokens[index].form == .han { characters += 1 }
            found.append(index)
        }
        return found.count - characters / 2 <= mostWords ? found : []
    }

    /// Shared words from which on a sentence more is another request: "She has liver disease.", "Answer in German."
    private static let fewestShared = 8

    /// A whole sentence that only one text has, and that says more than thanks.
    private mutating func addedSentence(_ comparison: Comparison) {
        guard comparison.common >= Self.fewestShared else { return }
        func added(_ range: Range<Int>, _ text: PreparedText) -> Bool {
            guard let first = range.first,
                first == 0 || text.tokens[first].traits.contains(.startsSentence),
                range.upperBound == text.tokens.count || text.tokens[range.upperBound].traits.contains(.startsSentence)
            else { return false }
            return range.contains { text.isContent[$0] && !Self.courtesies.contains(text.tokens[$0].hash) }
        }
        for hunk in comparison.hunks where hunk.new.isEmpty != hunk.old.isEmpty {
            guard added(hunk.new, comparison.new) || added(hunk.old, comparison.old) else { continue }
            let words = hunk.new.isEmpty ? comparison.old.spelled(hunk.old) : comparison.new.spelled(hunk.new)
            objections.append(GuardObjection(.task, "only one says: \(words)"))
            return
        }
    }

    /// Little words that mostly say nothing, in each other's place.
    private mutating func smallWords(_ comparison: Comparison) {
        func only(_ range: Range<Int>, _ text: PreparedText) -> Int? {
            let words = range.filter { text.keys[$0] != 0 }
            return words.count == 1 ? words[0] : nil
        }
        for hunk in comparison.hunks {
            guard let new = only(hunk.new, comparison.new), let old = only(hunk.old, comparison.old) else { continue }
            let (a, b) = (comparison.new.tokens[new].hash, comparison.old.tokens[old].hash)
            // Prose says the one for the other; conditions do not.
            let isSpoken = !comparison.new.tokens[new].traits.contains(.allCapitals)
            guard let pair = Self.exchanges.first(where: { $0.words == [a, b] || $0.words == [b, a] }),
                !isSpoken || pair.words[0] != Self.and
            else { continue }
            objections.append(
                GuardObjection(
                    pair.guardian,
                    "\(comparison.new.spelled(new..<(new + 1))) / \(comparison.old.spelled(old..<(old + 1)))"))
            return
        }
    }

    private static let and = WordHash.of("and")
    private static let exchanges: [(words: [UInt64], guardian: Guard)] = [
        ([and, WordHash.of("or")], .antonym), ([WordHash.of("some"), WordHash.of("all")], .antonym),
    ]

    /// He and she, in the order in which they come.
    private mutating func persons(_ comparison: Comparison) {
        let (new, old) = (Self.persons(comparison.new), Self.persons(comparison.old))
        guard new.count == old.count, new != old else { return }
        objections.append(GuardObjection(.entity, "he / she"))
    }

    private static func persons(_ text: PreparedText) -> [Bool] {
        var found: [Bool] = []
        for token in text.tokens {
            guard let isShe = personWords[token.hash], found.last != isShe else { continue }
            found.append(isShe)
        }
        return found
    }

    private static let personWords: [UInt64: Bool] = [
        WordHash.of("he"): false, WordHash.of("him"): false, WordHash.of("his"): false, WordHash.of("she"): true,
        WordHash.of("her"): true, WordHash.of("hers"): true,
    ]

    /// The rest of two long texts has nothing in common: another question about the same material.
    private mutating func otherRequest(_ comparison: Comparison) {
        guard comparison.isLong, comparison.differenceShared == 0,
            min(comparison.differenceNew, comparison.differenceOld) >= (comparison.new.script.isChinese ? 3 : 2),
            max(comparison.differenceNew, comparison.differenceOld) >= (comparison.new.script.isChinese ? 6 : 3)
        else { return }
        taskConflict = true
        objections.append(GuardObjection(.task, "what differs has nothing in common"))
    }
}
