/// Two members of one class where only one can be meant: miles and yards, June and July, Python and Java, JSON and a
/// table; and two opposite words.
struct ContrastGuard {
    private(set) var objections: [GuardObjection] = []
    private(set) var conflicts: [Guard: Int] = [:]
    private(set) var oneSided: [Guard: Int] = [:]

    init(_ comparison: Comparison) {
        for scope in comparison.scopes {
            let new = Self.mentions(comparison.new, scope.new)
            let old = Self.mentions(comparison.old, scope.old)
            guard !new.isEmpty || !old.isEmpty else { continue }
            contrasts(new, old, comparison)
            opposites(new, old, comparison)
        }
    }

    /// Those of the classes and axes, in the order of both.
    private static func mentions(_ text: PreparedText, _ scope: Range<Int>) -> [Mention] {
        var found = text.mentions.filter { $0.tokens.overlaps(scope) && $0.sense.isComparable }
        for quantity in text.quantities where quantity.tokens.overlaps(scope) {
            if let unit = quantity.unit { found.append(Mention(sense: unit, tokens: quantity.tokens)) }
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
        let left = grouped(new, [.opposite])
        let right = grouped(old, [.opposite])
        guard !left.isEmpty, !right.isEmpty else { return }
        for (sense, mention) in left.sorted(by: { $0.key.order < $1.key.order }) {
            // An end that both texts have decides nothing.
            guard right[sense] == nil,
                let other = right.first(where: { $0.key.group == sense.group && left[$0.key] == nil })
            else { continue }
            let hasBoth = left.keys.contains { $0.group == sense.group && $0.member != sense.member }
            if !hasBoth, !areDenialsAlike(mention, other.value, comparison) {
                object(.antonym, mention, other.value, comparison)
            }
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
