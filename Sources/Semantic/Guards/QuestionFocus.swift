/// What a question asks for, by its question word: when, where, why.
struct QuestionFocus: Sendable {
    /// In the order of `Frames.questions`.
    enum Kind: Int, Sendable {
        case when, place, why, who, amount, duration, how, what, which
        case yesOrNo, openYesOrNo
    }

    private(set) var kinds: Set<Kind> = []
    private let isChinese: Bool

    private static let questions = PhraseTable(Frames.questions)
    private static let yesOrNo = PhraseTable(Frames.yesOrNo)
    private static let open = PhraseTable(Frames.openYesOrNo)
    private static let chineseYesOrNo = PhraseTable(Frames.chineseYesOrNo)
    private static let chineseOpen = PhraseTable(Frames.chineseOpen)
    private static let anybody = PhraseTable(Frames.chineseAnybody)

    init(_ text: PreparedText) {
        let tokens = text.tokens
        isChinese = text.script.isChinese
        var canOpen = true
        var isOpen = false
        var isYesOrNo = false
        var index = 0
        while index < tokens.count {
            let token = tokens[index]
            if token.traits.contains(.startsSentence) { canOpen = true }
            if let found = Self.questions.match(tokens, at: index), let kind = Kind(rawValue: found.member),
                token.form == .han || canOpen && !Self.isAlone(tokens, index + found.length),
                !Self.isAnybody(kind, tokens, index + found.length)
            {
                kinds.insert(kind)
                canOpen = token.form == .han
                index += found.length
                continue
            }
            if token.form == .han {
                if Self.chineseYesOrNo.contains(tokens, at: index) { isYesOrNo = true }
                if Self.chineseOpen.contains(tokens, at: index) { isOpen = true }
            } else if canOpen, index == 0 || token.traits.contains(.startsSentence) {
                if Self.open.contains(tokens, at: index) {
                    (isYesOrNo, isOpen) = (true, true)
                } else if Self.yesOrNo.contains(tokens, at: index) {
                    isYesOrNo = true
                }
            }
            // Behind a word with content `who` and `when` join two sentences.
            if text.isContent[index] { canOpen = false }
            index += 1
        }
        if kinds.isEmpty, isYesOrNo { kinds = [isOpen ? .openYesOrNo : .yesOrNo] }
    }

    /// `Why?` behind another question, `why or why not`.
    private static func isAlone(_ tokens: [GuardToken], _ behind: Int) -> Bool {
        behind == tokens.count || tokens[behind].traits.contains(.startsSentence) || tokens[behind].hash == or
    }

    private static let or = WordHash.of("or")

    /// 谁知道, 谁有: asks whoever reads it.
    private static func isAnybody(_ kind: Kind, _ tokens: [GuardToken], _ behind: Int) -> Bool {
        kind == .who && behind < tokens.count && tokens[behind].form == .han && anybody.contains(tokens, at: behind)
    }

    /// One asks for what the other one does not, and neither is another way to ask the same.
    func conflicts(with other: QuestionFocus) -> Bool {
        let (mine, theirs) = (kinds.subtracting(other.kinds), other.kinds.subtracting(kinds))
        guard mine.count == 1, theirs.count == 1, let one = mine.first, let two = theirs.first else { return false }
        // 怎么 asks for a reason too.
        if isChinese, mine.union(theirs) == [.how, .why] { return false }
        return !Self.isAlike(one, two) && !Self.isAlike(two, one)
    }

    /// `What is the way` and `how`, `which` and `who`, `can I` and `how`.
    private static func isAlike(_ one: Kind, _ other: Kind) -> Bool {
        switch (one, other) {
        // `What is the date`, `what is it known for`.
        case (.what, _) where other != .who: true
        case (.which, .who), (.which, .place), (.which, .how), (.which, .openYesOrNo), (.which, .when): true
        case (.how, .amount), (.how, .duration), (.how, .openYesOrNo), (.how, .yesOrNo), (.how, .place): true
        case (.amount, .duration): true
        case (.who, .openYesOrNo), (.place, .openYesOrNo), (.yesOrNo, .openYesOrNo): true
        default: false
        }
    }
}
