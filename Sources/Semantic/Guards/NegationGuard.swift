/// One text denies what the other one does not.
struct NegationGuard {
    private(set) var objection: GuardObjection?
    /// A denial on one side alone, of whatever kind.
    private(set) var isOneSided = false

    /// Below that the texts differ in so much else that a denial in one of them is part of another wording.
    private static let leastOverlap: Float = 0.45

    init(_ comparison: Comparison) {
        for scope in comparison.scopes {
            let new = comparison.new.denials.filter { $0.tokens.overlaps(scope.new) && $0.denial != .none }
            let old = comparison.old.denials.filter { $0.tokens.overlaps(scope.old) && $0.denial != .none }
            let plainNew = new.count { $0.denial == .plain }
            let plainOld = old.count { $0.denial == .plain }
            if new.isEmpty != old.isEmpty || plainNew != plainOld { isOneSided = true }
            guard objection == nil, comparison.isLong || comparison.contentOverlap >= Self.leastOverlap else {
                continue
            }
            if old.isEmpty {
                objection = first(new, comparison.new, comparison.newUnmatched, comparison)
            } else if new.isEmpty {
                objection = first(old, comparison.old, comparison.oldUnmatched, comparison)
            }
        }
        if objection == nil, comparison.contentOverlap >= Self.leastOverlap { objection = prefixed(comparison) }
    }

    /// A denial of something that the other text has without it. Denying what the other text does not speak of is
    /// often just a detail of the wording.
    private func first(
        _ denials: [DenialMention], _ text: PreparedText, _ unmatched: [Bool], _ comparison: Comparison
    ) -> GuardObjection? {
        let found = denials.first { denial in
            denial.denial == .plain && !isParticle(denial, text) && !isRequirement(denial, text, comparison)
                && !isOpposite(denial, text, comparison)
                && (comparison.isLong || isShared(denial.tokens.upperBound, text, unmatched))
        }
        return found.map { GuardObjection(.negation, text.spelled($0.tokens)) }
    }

    /// 有什么好的网站没, 可以吗不: at the end of a sentence it only asks.
    private func isParticle(_ denial: DenialMention, _ text: PreparedText) -> Bool {
        guard denial.tokens.count == 1, text.tokens[denial.tokens.lowerBound].form == .han,
            [0x4E0D, 0x6CA1].contains(text.scalars[Int(text.tokens[denial.tokens.lowerBound].lower)]),
            denial.tokens.lowerBound > 0
        else { return false }
        let next = denial.tokens.upperBound
        return next == text.tokens.count || !text.tokens[next].traits.contains(.isGlued)
    }

    private static let without = WordHash.of("without")
    private static let requirements = Set(
        GuardTokenizer("require required requirement requirements need mandatory necessary compulsory must").tokens
            .map(\.hash))

    /// `Can I travel without a visa?` asks what `is a visa required?` asks.
    private func isRequirement(_ denial: DenialMention, _ text: PreparedText, _ comparison: Comparison) -> Bool {
        guard denial.tokens.count == 1, text.tokens[denial.tokens.lowerBound].hash == Self.without else { return false }
        let other = text.text == comparison.new.text ? comparison.old : comparison.new
        return other.tokens.contains { Self.requirements.contains($0.hash) }
            && !text.tokens.contains { Self.requirements.contains($0.hash) }
    }

    /// What is denied is the opposite of a word of the other text: both say the same.
    private func isOpposite(_ denial: DenialMention, _ text: PreparedText, _ comparison: Comparison) -> Bool {
        let isNew = text.text == comparison.new.text
        let other = isNew ? comparison.old : comparison.new
        return text.mentions.contains { mention in
            guard mention.sense.kind == .opposite, mention.tokens.lowerBound >= denial.tokens.upperBound,
                mention.tokens.lowerBound - denial.tokens.upperBound < 2,
                GuardLexicon.shared.ends[Int(mention.sense.group)] == 2,
                !ContrastGuard.isShared(mention, text, other)
            else { return false }
            return other.mentions.contains {
                $0.sense.kind == .opposite && $0.sense.group == mention.sense.group
                    && $0.sense.member != mention.sense.member && !ContrastGuard.isShared($0, other, text)
            }
        }
    }

    /// One of the next words with content is in the other text too.
    private func isShared(_ start: Int, _ text: PreparedText, _ unmatched: [Bool]) -> Bool {
        var left = 2
        var index = start
        while index < text.tokens.count, left > 0 {
            if text.isContent[index] {
                if !unmatched[index] { return true }
                left -= text.tokens[index].form == .han && (start - index) % 2 == 0 ? 0 : 1
            }
            index += 1
        }
        return index >= text.tokens.count && left == 2
    }

    // MARK: Prefixes

    private static let prefixes: [[UInt32]] = ["un", "in", "im", "il", "ir", "dis", "non", "mis", "anti", "de"].map {
        $0.unicodeScalars.map(\.value)
    }
    private static let mostWords = 12

    /// `legal` against `illegal`.
    private func prefixed(_ comparison: Comparison) -> GuardObjection? {
        let new = words(comparison.new, comparison.newUnmatched)
        let old = words(comparison.old, comparison.oldUnmatched)
        for first in new {
            for second in old {
                let a = comparison.new.scalars[first.range]
                let b = comparison.old.scalars[second.range]
                guard Self.denies(a, b) || Self.denies(b, a) || Self.lacks(a, b) || Self.lacks(b, a) else { continue }
                return GuardObjection(
                    .negation,
                    "\(comparison.new.spelled(scalars: first.range)) / \(comparison.old.spelled(scalars: second.range))"
                )
            }
        }
        return nil
    }

    private func words(_ text: PreparedText, _ unmatched: [Bool]) -> [GuardToken] {
        var found: [GuardToken] = []
        for (index, token) in text.tokens.enumerated()
        where unmatched[index] && token.form == .word && token.range.count > 3 {
            found.append(token)
            if found.count == Self.mostWords { break }
        }
        return found
    }

    /// `useful` against `useless`.
    private static func lacks(_ one: ArraySlice<UInt32>, _ other: ArraySlice<UInt32>) -> Bool {
        let (full, less) = (Self.full, Self.less)
        guard one.count == other.count - 1, one.count > 5, one.suffix(3).elementsEqual(full),
            other.suffix(4).elementsEqual(less)
        else { return false }
        return one.dropLast(3).elementsEqual(other.dropLast(4))
    }

    private static let full = "ful".unicodeScalars.map(\.value)
    private static let less = "less".unicodeScalars.map(\.value)

    private static func denies(_ long: ArraySlice<UInt32>, _ short: ArraySlice<UInt32>) -> Bool {
        for prefix in prefixes where long.count - prefix.count > 2 && long.starts(with: prefix) {
            let rest = long.dropFirst(prefix.count)
            // -ly, -s, -ed: the shorter of both decides.
            let count = max(4, min(rest.count, short.count) - 1)
            if rest.count >= 4, short.count >= 4, abs(rest.count - short.count) <= 2,
                rest.prefix(count).elementsEqual(short.prefix(count))
            {
                return true
            }
        }
        return false
    }
}
