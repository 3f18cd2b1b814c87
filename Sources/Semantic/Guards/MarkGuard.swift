/// The same words, told apart by a capital letter, an accent or a mark: mW and MW, Polish and polish, `;` and `&`.
struct MarkGuard {
    private(set) var objections: [GuardObjection] = []

    init(_ comparison: Comparison) {
        guard comparison.new.text != comparison.old.text else { return }
        units(comparison)
        accents(comparison)
        capitals(comparison)
        guard comparison.hasSameContent, comparison.hunks.isEmpty, comparison.typingErrors == 0 else { return }
        separators(comparison)
    }

    // MARK: Units

    /// The folded hash and the capitals of a spelling, and which side of which line it is on.
    private static let cased: [UInt64: [UInt64: Int]] = {
        var table: [UInt64: [UInt64: Int]] = [:]
        for (line, row) in Frames.casedUnits.split(separator: "\n").enumerated() {
            for (side, names) in row.split(separator: "|").enumerated() {
                for name in names.split(separator: " ") {
                    guard let token = GuardTokenizer(String(name)).tokens.first else { continue }
                    table[token.hash, default: [:]][token.capitals] = 2 * line + side
                }
            }
        }
        return table
    }()

    private mutating func units(_ comparison: Comparison) {
        let (new, old) = (Self.sides(comparison.new), Self.sides(comparison.old))
        guard let side = new.first(where: { old.contains($0 ^ 1) && !old.contains($0) && !new.contains($0 ^ 1) })
        else { return }
        objections.append(GuardObjection(.unit, "capital letters of a unit, \(side / 2)"))
    }

    private static func sides(_ text: PreparedText) -> Set<Int> {
        Set(
            text.tokens.lazy.filter { !$0.traits.contains(.startsSentence) }.compactMap { cased[$0.hash]?[$0.capitals] }
        )
    }

    // MARK: Accents

    /// `schön` and `schon`, in a text that is not English; in an English one accents come and go.
    private mutating func accents(_ comparison: Comparison) {
        let (new, old) = (comparison.new, comparison.old)
        let theirs = Self.bare(old, comparison.oldUnmatched)
        guard !theirs.isEmpty else { return }
        let mine = Self.bare(new, comparison.newUnmatched)
        guard let word = mine.first(where: { theirs[$0.key] != nil }),
            !new.isEnglishOrChinese || !old.isEnglishOrChinese
        else { return }
        objections.append(GuardObjection(.code, new.spelled(word.value..<(word.value + 1))))
    }

    private static let most = 16

    /// Unmatched words without the marks on their letters, and where they are.
    private static func bare(_ text: PreparedText, _ unmatched: [Bool]) -> [[UInt32]: Int] {
        let normalizer = BertNormalizer()
        var found: [[UInt32]: Int] = [:]
        for index in text.tokens.indices
        where unmatched[index] && text.tokens[index].form == .word && found.count < most {
            var scalars: [Unicode.Scalar] = []
            let word = String(
                String.UnicodeScalarView(text.scalars[text.tokens[index].range].compactMap(Unicode.Scalar.init)))
            normalizer.normalize(Substring(word).unicodeScalars, into: &scalars)
            found[scalars.map(\.value)] = index
        }
        return found
    }

    // MARK: Capitals

    private static let words = Set(
        Frames.casedWords.split { $0 == " " || $0 == "\n" }.map {
            WordHash.of($0.unicodeScalars.map(\.value))
        })

    /// `polish` and `Polish`, where both writers use capital letters.
    private mutating func capitals(_ comparison: Comparison) {
        let (new, old) = (comparison.new, comparison.old)
        guard new.tokens.count == old.tokens.count, Self.usesCapitals(new), Self.usesCapitals(old),
            zip(new.tokens, old.tokens).allSatisfy({ $0.hash == $1.hash })
        else { return }
        for (index, token) in new.tokens.enumerated() {
            let other = old.tokens[index]
            guard token.hash == other.hash, token.form == .word, Self.words.contains(token.hash),
                !token.traits.contains(.startsSentence), !other.traits.contains(.startsSentence),
                token.traits.contains(.capital) != other.traits.contains(.capital)
            else { continue }
            objections.append(GuardObjection(.entity, new.spelled(index..<(index + 1))))
            return
        }
    }

    /// Some words have a capital letter, and not all of them.
    private static func usesCapitals(_ text: PreparedText) -> Bool {
        let words = text.tokens.filter { $0.form == .word }
        let capital = words.count { $0.traits.contains(.capital) }
        return capital > 0 && 4 * capital <= 3 * words.count
    }

    // MARK: Separators

    /// `;` and `&` between commands, `::` and `.` within a name, and a statement against a question.
    private mutating func separators(_ comparison: Comparison) {
        let (new, old) = (comparison.new, comparison.old)
        guard new.tokens.count == old.tokens.count else { return }
        for index in new.tokens.indices {
            let (here, there) = (Self.gap(new, index), Self.gap(old, index))
            guard here != there, Self.areOperators(here, there) || isWord(index) && Self.areInner(here, there) else {
                continue
            }
            objections.append(
                GuardObjection(.code, "\(Self.shown(here)) / \(Self.shown(there))"))
            return
        }
        func isWord(_ index: Int) -> Bool {
            new.tokens[index].form != .han && index + 1 < new.tokens.count && new.tokens[index + 1].form != .han
        }
        if let isAsked = Self.isAsked(new), let isOther = Self.isAsked(old), isAsked != isOther {
            objections.append(GuardObjection(.question, "a statement / a question"))
        }
    }

    /// What stands behind a token and before the next one, blanks included.
    private static func gap(_ text: PreparedText, _ index: Int) -> ArraySlice<UInt32> {
        let start = Int(text.tokens[index].upper)
        let end = index + 1 < text.tokens.count ? Int(text.tokens[index + 1].lower) : text.scalars.count
        return start < end ? text.scalars[start..<end] : []
    }

    private static func shown(_ gap: ArraySlice<UInt32>) -> String {
        String(String.UnicodeScalarView(gap.compactMap(Unicode.Scalar.init)))
    }

    /// `&`, `&&`, `|`: between words of a text they are meant, whatever the blanks.
    private static func areOperators(_ one: ArraySlice<UInt32>, _ other: ArraySlice<UInt32>) -> Bool {
        let (one, other) = (one.filter { $0 > 0x20 }, other.filter { $0 > 0x20 })
        return one != other && (one + other).contains { $0 == 0x26 || $0 == 0x7C }
    }

    /// Two marks without blanks, one of which joins names of code.
    private static func areInner(_ one: ArraySlice<UInt32>, _ other: ArraySlice<UInt32>) -> Bool {
        func isInner(_ gap: ArraySlice<UInt32>) -> Bool {
            !gap.isEmpty && gap.allSatisfy { $0 > 0x20 && $0 < 0x80 && ![0x27, 0x22, 0x2D, 0x2F, 0x60].contains($0) }
        }
        return isInner(one) && isInner(other) && (one + other).contains { [0x3A, 0x2E, 0x28, 0x29].contains($0) }
    }

    private static let subjects: Set<UInt64> = [
        WordHash.of("he"), WordHash.of("she"), WordHash.of("they"), WordHash.of("it"), WordHash.of("this"),
        WordHash.of("that"), WordHash.of("really"),
    ]

    /// For a sentence that starts as a statement: whether it ends as a question. nil without a mark at its end.
    private static func isAsked(_ text: PreparedText) -> Bool? {
        guard let first = text.tokens.first, subjects.contains(first.hash),
            let last = text.scalars.last(where: { $0 > 0x20 })
        else { return nil }
        if last == 0x3F { return true }
        return last == 0x2E || last == 0x21 ? false : nil
    }
}
