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
        names(comparison)
        details(comparison)
        otherRequest(comparison)
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
            unmatched[$0] && (text.tokens[$0].form == .code || text.tokens[$0].traits.contains(.isFenced))
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

    /// Capital letters inside a sentence, letters among Chinese characters.
    private mutating func names(_ comparison: Comparison) {
        func count(_ text: PreparedText, _ unmatched: [Bool]) -> Int {
            text.tokens.indices.count {
                let traits = text.tokens[$0].traits
                return unmatched[$0] && text.tokens[$0].form == .word
                    && (traits.contains(.capital) && !traits.contains(.startsSentence)
                        || traits.contains(.allCapitals) || text.script.isChinese)
            }
        }
        let new = count(comparison.new, comparison.newUnmatched)
        let old = count(comparison.old, comparison.oldUnmatched)
        properConflict = min(new, old)
        properOneSided = abs(new - old)
    }

    /// Words that stand alone between the same neighbours.
    private mutating func details(_ comparison: Comparison) {
        let hunks = comparison.hunks
        for (index, hunk) in hunks.enumerated() {
            guard let new = Self.onlyContent(hunk.new, comparison.new),
                let old = Self.onlyContent(hunk.old, comparison.old),
                comparison.newUnmatched[new] || comparison.oldUnmatched[old] || comparison.isLong
            else { continue }
            let (a, b) = (comparison.new.tokens[new], comparison.old.tokens[old])
            // A sentence may start with another word for the same.
            guard !a.traits.contains(.startsSentence) || a.form != .word else { continue }
            guard
                a.form != .word || b.form != .word
                    || !Spelling.isSlip(comparison.new.scalars[a.range], comparison.old.scalars[b.range])
            else { continue }
            substitutions += 1
            let distance = Self.neighbourhood
            let isAlone =
                (index == 0 || hunk.new.lowerBound - hunks[index - 1].new.upperBound >= distance)
                && (index == hunks.count - 1 || hunks[index + 1].new.lowerBound - hunk.new.upperBound >= distance)
            if comparison.isLong, isAlone {
                objections.append(
                    GuardObjection(.detail, "\(comparison.new.spelled(hunk.new)) / \(comparison.old.spelled(hunk.old))")
                )
            }
        }
    }

    /// Equal words on either side that make a difference a detail rather than a rewording.
    private static let neighbourhood = 4

    /// The one token with content of a difference that has nothing else in it.
    private static func onlyContent(_ range: Range<Int>, _ text: PreparedText) -> Int? {
        var found: Int?
        for index in range where text.keys[index] != 0 {
            guard text.isContent[index] else { return nil }
            if found != nil, text.tokens[index].form != .han || range.count > 4 { return nil }
            found = found ?? index
        }
        return found
    }

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
