/// Names that are part of longer names: Guinea and Equatorial Guinea, a phone and its larger model.
struct NameGuard {
    private(set) var objection: GuardObjection?

    init(_ comparison: Comparison) {
        objection = contained(comparison) ?? lengthened(comparison)
    }

    /// `Mexico` within `New Mexico`: two names of the lists, one of which has all words of the other.
    private func contained(_ comparison: Comparison) -> GuardObjection? {
        let new = Self.names(comparison.new, comparison.old)
        let old = Self.names(comparison.old, comparison.new)
        for one in new {
            for other in old where one.sense != other.sense && one.tokens.count != other.tokens.count {
                let left = comparison.new.tokens[one.tokens].map(\.stem)
                let right = comparison.old.tokens[other.tokens].map(\.stem)
                guard
                    left.starts(with: right) || right.starts(with: left) || left.suffix(right.count) == right[...]
                        || right.suffix(left.count) == left[...]
                else { continue }
                return GuardObjection(
                    .entity, "\(comparison.new.spelled(one.tokens)) / \(comparison.old.spelled(other.tokens))")
            }
        }
        return nil
    }

    private static let most = 16

    /// Those that the other text does not have.
    private static func names(_ text: PreparedText, _ other: PreparedText) -> [Mention] {
        let lexicon = GuardLexicon.shared
        return Array(
            text.mentions.lazy.filter { mention in
                Self.isPlaceName(mention.sense, lexicon) && !other.mentions.contains { $0.sense == mention.sense }
            }.prefix(most))
    }

    private static let places: Set<String> = ["country", "continent", "city", "region", "landmark"]

    private static func isPlaceName(_ sense: Sense, _ lexicon: GuardLexicon) -> Bool {
        sense.kind == .contrast && places.contains(lexicon.classes[Int(sense.group)].name)
    }

    private static let models = PhraseTable(Frames.models)
    private static let extensions = PhraseTable(Frames.extensions)

    /// A word more beside a name that both texts have.
    private func lengthened(_ comparison: Comparison) -> GuardObjection? {
        for hunk in comparison.hunks {
            let isExchange = !hunk.new.isEmpty && !hunk.old.isEmpty
            let (text, range) = hunk.new.isEmpty ? (comparison.old, hunk.old) : (comparison.new, hunk.new)
            if isExchange {
                guard Self.models.covers(hunk.new, comparison.new.tokens),
                    Self.models.covers(hunk.old, comparison.old.tokens), Self.isName(text, range.lowerBound - 1)
                else { continue }
                return GuardObjection(
                    .entity, "\(comparison.new.spelled(hunk.new)) / \(comparison.old.spelled(hunk.old))")
            }
            guard Self.isModel(range, text) || Self.isExtension(range, text) else { continue }
            return GuardObjection(.entity, text.spelled(range))
        }
        return nil
    }

    /// `iPhone 12` and `iPhone 12 Pro`, `GPT-4` and `GPT-4o`.
    private static func isModel(_ range: Range<Int>, _ text: PreparedText) -> Bool {
        guard range.lowerBound > 0 else { return false }
        let before = range.lowerBound - 1
        if models.covers(range, text.tokens) { return isName(text, before) }
        let token = text.tokens[range.lowerBound]
        return range.count == 1 && token.form == .word && token.range.count <= 2
            && token.traits.contains(.isGlued) && text.tokens[before].form == .number
    }

    private static func isExtension(_ range: Range<Int>, _ text: PreparedText) -> Bool {
        guard extensions.covers(range, text.tokens) else { return false }
        let isCapital = text.tokens[range.lowerBound].traits.contains(.capital)
        let isBefore =
            range.upperBound < text.tokens.count && (isCapital || isListed(text, range.upperBound))
            && isPlace(text, range.upperBound)
        return isBefore || range.lowerBound > 0 && isCapital && isPlace(text, range.lowerBound - 1)
    }

    private static func isListed(_ text: PreparedText, _ index: Int) -> Bool {
        text.mentions.contains {
            $0.tokens.lowerBound == index && isPlaceName($0.sense, GuardLexicon.shared)
        }
    }

    /// A capital letter inside a sentence, a number, or a name of the lists.
    private static func isName(_ text: PreparedText, _ index: Int) -> Bool {
        guard index >= 0 else { return false }
        return text.tokens[index].form == .number || text.tokens[index].form == .code || isPlace(text, index)
    }

    private static func isPlace(_ text: PreparedText, _ index: Int) -> Bool {
        let token = text.tokens[index]
        if token.form == .word, token.traits.contains(.capital), !token.traits.contains(.startsSentence) { return true }
        return text.mentions.contains {
            $0.sense.kind == .contrast && $0.tokens.contains(index)
                && GuardLexicon.shared.classes[Int($0.sense.group)].guardian == .entity
        }
    }
}
