/// Two members of one class where only one can be meant: miles and yards, June and July, Python and Java, JSON and a
/// table; and two opposite words.
struct ContrastGuard {
    private(set) var objections: [GuardObjection] = []
    private(set) var conflicts: [Guard: Int] = [:]
    private(set) var oneSided: [Guard: Int] = [:]

    init(_ comparison: Comparison) {
        for scope in comparison.scopes {
            let new = Self.mentions(comparison.new, scope.new, comparison.old)
            let old = Self.mentions(comparison.old, scope.old, comparison.new)
            guard !new.isEmpty || !old.isEmpty else { continue }
            contrasts(new, old, comparison)
            opposites(new, old, comparison)
        }
    }

    /// Those of the classes and axes, in the order of both.
    private static func mentions(_ text: PreparedText, _ scope: Range<Int>, _ other: PreparedText) -> [Mention] {
        var found = text.mentions.filter { $0.tokens.overlaps(scope) && $0.sense.isComparable }
        for quantity in text.quantities where quantity.tokens.overlaps(scope) {
            // 60 minutes and 1 hour are no two units.
            guard let unit = quantity.unit,
                !other.quantities.contains(where: { $0.unit?.group == unit.group && $0.agrees(with: quantity) })
            else { continue }
            found.append(Mention(sense: unit, tokens: quantity.tokens))
        }
        return found.sorted { $0.sense.order < $1.sense.order }
    }

    /// Calls with the members of each group that both texts have something of, or one alone.
    private func grouped(_ mentions: [Mention], _ kinds: Set<Sense.Kind>) -> [Sense: Mention] {
        var first: [Sense: Mention] = [:]
        for mention in mentions where kinds.contains(mention.sense.kind) && first[mention.sense] == nil {
            first[mention.sense] = mention
        }
        return first
    }

    private mutating func contrasts(_ new: [Mention], _ old: [Mention], _ comparison: Comparison) {
        let left = grouped(new, [.contrast, .unit])
        let right = grouped(old, [.contrast, .unit])
        let onlyNew = left.filter { right[$0.key] == nil }
        let onlyOld = right.filter { left[$0.key] == nil }
        for (sense, mention) in onlyNew.sorted(by: { $0.key.order < $1.key.order }) {
            let guardian = Self.guardian(sense)
            let other = onlyOld.filter { $0.key.kind == sense.kind && $0.key.group == sense.group }
                .min { $0.key.order < $1.key.order }
            if let other {
                object(guardian, mention, other.value, comparison)
            } else {
                oneSided[guardian, default: 0] += 1
            }
        }
        for (sense, _) in onlyOld
        where !onlyNew.contains(where: { $0.key.kind == sense.kind && $0.key.group == sense.group }) {
            oneSided[Self.guardian(sense), default: 0] += 1
        }
    }

    private mutating func opposites(_ new: [Mention], _ old: [Mention], _ comparison: Comparison) {
        // A word that both texts have decides nothing; where only the difference is looked at it is not there.
        let isLong = comparison.isLong
        let left = grouped(
            new.filter { isLong || !Self.isShared($0, comparison.new, comparison.old) }, [.opposite])
        let right = grouped(
            old.filter { isLong || !Self.isShared($0, comparison.old, comparison.new) }, [.opposite])
        guard !left.isEmpty, !right.isEmpty else { return }
        for (sense, mention) in left.sorted(by: { $0.key.order < $1.key.order }) {
            guard right[sense] == nil,
                let other = right.first(where: { $0.key.group == sense.group && left[$0.key] == nil }),
                !left.keys.contains(where: { $0.group == sense.group && $0.member != sense.member }),
                isOpposed(mention, other.value, comparison)
            else { continue }
            object(.antonym, mention, other.value, comparison)
        }
    }

    /// The other text has every word of the term.
    static func isShared(_ mention: Mention, _ text: PreparedText, _ other: PreparedText) -> Bool {
        mention.tokens.allSatisfy { text.keys[$0] == 0 || other.contains(text.keys[$0]) }
    }

    /// Small words are opposed only in the same place: `on` and `off`.
    private func isOpposed(_ new: Mention, _ old: Mention, _ comparison: Comparison) -> Bool {
        if areDenialsAlike(new, old, comparison) || isDenied(new, comparison.new, comparison.old)
            || isDenied(old, comparison.old, comparison.new)
        {
            return false
        }
        let isWeak =
            Self.isWeak(new, comparison.new) || Self.isWeak(old, comparison.old)
            || !comparison.new.isContent[new.tokens.lowerBound] && !comparison.old.isContent[old.tokens.lowerBound]
        guard isWeak, new.tokens.count == 1, old.tokens.count == 1 else { return !isWeak }
        return comparison.hunks.contains { $0.new == new.tokens && $0.old == old.tokens }
    }

    /// Characters that are part of other words more often than the end of an axis.
    private static let weak = Set("合分进出上下前后里内外给发收生死有无带含对真少长正负公母行列中去回加减起终开关大小高低先首末".unicodeScalars.map(\.value))

    private static func isWeak(_ mention: Mention, _ text: PreparedText) -> Bool {
        let token = text.tokens[mention.tokens.lowerBound]
        return mention.tokens.count == 1 && token.form == .han && weak.contains(text.scalars[Int(token.lower)])
    }

    /// `not go with` is `clash with`: a denial right before one of two opposites, and none in the other text.
    private func isDenied(_ mention: Mention, _ text: PreparedText, _ other: PreparedText) -> Bool {
        GuardLexicon.shared.ends[Int(mention.sense.group)] == 2 && !other.denials.contains { $0.denial == .plain }
            && text.denials.contains {
                $0.denial != .none && $0.tokens.upperBound <= mention.tokens.lowerBound
                    && mention.tokens.lowerBound - $0.tokens.upperBound < 2
            }
    }

    /// `without` and `does not contain`: the opposite is a denial, and the other text denies in its own way.
    private func areDenialsAlike(_ new: Mention, _ old: Mention, _ comparison: Comparison) -> Bool {
        func denies(_ text: PreparedText, _ mention: Mention) -> Bool {
            text.denials.contains { $0.denial == .plain && $0.tokens.overlaps(mention.tokens) }
        }
        let (first, second) = (denies(comparison.new, new), denies(comparison.old, old))
        guard first != second else { return false }
        return (first ? comparison.old : comparison.new).denials.contains { $0.denial == .plain }
    }

    private mutating func object(_ guardian: Guard, _ new: Mention, _ old: Mention, _ comparison: Comparison) {
        conflicts[guardian, default: 0] += 1
        // What is to be done is told apart by its words in a long text only; a short one uses them for other things too.
        if guardian == .task, !comparison.isLong { return }
        guard objections.count < Guards.mostObjections else { return }
        objections.append(
            GuardObjection(
                guardian, "\(comparison.new.spelled(new.tokens)) / \(comparison.old.spelled(old.tokens))"))
    }

    private static func guardian(_ sense: Sense) -> Guard {
        guard sense.kind == .unit else { return GuardLexicon.shared.classes[Int(sense.group)].guardian }
        return GuardLexicon.shared.units[Int(sense.member)].isOfText ? .format : .unit
    }
}

extension Sense {
    var isComparable: Bool { kind == .contrast || kind == .unit || kind == .opposite }

    /// One number to sort by.
    var order: UInt64 { UInt64(kind.rawValue) << 32 | UInt64(group) << 16 | UInt64(member) }
}
