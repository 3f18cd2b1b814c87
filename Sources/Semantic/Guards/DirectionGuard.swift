/// A to B against B to A: by the words between them, and by two words that changed places.
struct DirectionGuard {
    private(set) var objection: GuardObjection?
    private(set) var swaps = 0

    init(_ comparison: Comparison) {
        swap(comparison)
        if objection == nil { conversion(comparison) }
        guard objection == nil else { return }
        for scope in comparison.scopes {
            let new = Roles(comparison.new, scope.new)
            let old = Roles(comparison.old, scope.old)
            guard new.isMarked, old.isMarked, let found = new.crossing(old),
                comparison.isLong || comparison.contentOverlap >= Self.leastOverlap
                    || Self.isNamed(comparison.new, found)
            else { continue }
            objection = GuardObjection(
                .direction,
                "\(comparison.new.spelled(found..<(found + 1))) changes its part")
            return
        }
    }

    /// A member of a class or a name: it has a part whatever the other words are.
    private static func isNamed(_ text: PreparedText, _ index: Int) -> Bool {
        let token = text.tokens[index]
        return token.traits.contains(.capital) && !token.traits.contains(.startsSentence) || token.form == .number
            || text.mentions.contains {
                ($0.sense.kind == .contrast || $0.sense.kind == .unit) && $0.tokens.contains(index)
            }
    }

    /// Below that other words than those that changed places differ too.
    private static let leastOverlap: Float = 0.5

    /// Two members of one class with a word between them that leads from one to the other, both ways around.
    private mutating func conversion(_ comparison: Comparison) {
        let (new, old) = (Conversion.read(comparison.new), Conversion.read(comparison.old))
        guard let found = new.first(where: { one in old.contains { $0.from == one.to && $0.to == one.from } }),
            !new.contains(where: { one in old.contains { $0 == one } })
        else { return }
        objection = GuardObjection(.direction, "\(comparison.new.spelled(found.tokens)) turned around")
    }

    /// The same words, two of which changed places, unless what stands between them says that their order is free.
    private mutating func swap(_ comparison: Comparison) {
        let new = comparison.new.contentPositions
        let old = comparison.old.contentPositions
        guard new.count == old.count, new.count > 1 else { return }
        let differing = new.indices.filter { comparison.new.keys[new[$0]] != comparison.old.keys[old[$0]] }
        guard let first = differing.first,
            let second = differing.dropFirst().first(where: {
                comparison.new.keys[new[$0]] != comparison.new.keys[new[first]]
            })
        else { return }
        // Wherever one of them was, the other one is.
        let (one, other) = (comparison.new.keys[new[first]], comparison.new.keys[new[second]])
        let isExchange = differing.allSatisfy {
            let (here, there) = (comparison.new.keys[new[$0]], comparison.old.keys[old[$0]])
            return here == one && there == other || here == other && there == one
        }
        guard isExchange else { return }
        let isInPlace = isSameBetween(comparison, new[first]..<new[second], old[first]..<old[second])
        swaps += 1
        guard isInPlace, areAlike(comparison.new, new[first], new[second], comparison.old) else { return }
        let between = new[first]..<(new[second] + 1)
        let isFree = comparison.new.mentions.contains {
            $0.sense.kind == .direction && $0.sense.member == Role.joins.rawValue && $0.tokens.overlaps(between)
        }
        guard !isFree, second - first <= 4 else { return }
        let words =
            "\(comparison.new.spelled(new[first]..<(new[first] + 1))), "
            + comparison.new.spelled(new[second]..<(new[second] + 1))
        // Neighbours that change places are word order in Chinese and in titles; with something between them they are
        // subject and object.
        let isApart = ((new[first] + 1)..<new[second]).contains { comparison.new.keys[$0] != 0 }
        if isApart { objection = GuardObjection(.direction, words) }
    }

    /// What stands between the two is the same, small words included: they were exchanged, not moved.
    private func isSameBetween(_ comparison: Comparison, _ new: Range<Int>, _ old: Range<Int>) -> Bool {
        func between(_ range: Range<Int>, _ text: PreparedText) -> [UInt64] {
            range.dropFirst().filter { text.keys[$0] != 0 && !WordingGuard.articles.contains(text.tokens[$0].hash) }
                .map { text.keys[$0] }
        }
        return between(new, comparison.new) == between(old, comparison.old)
    }

    /// Two numbers, two members of one class, two names, or two words with one between them that leads from one to the
    /// other: only such a pair can change places and still make sense.
    private func areAlike(_ text: PreparedText, _ first: Int, _ second: Int, _ old: PreparedText) -> Bool {
        let (a, b) = (text.tokens[first], text.tokens[second])
        if a.form == .number || b.form == .number { return a.form == b.form }
        func classes(_ index: Int) -> Set<UInt16> {
            Set(text.mentions.filter { $0.sense.kind == .contrast && $0.tokens.lowerBound == index }.map(\.sense.group))
        }
        if !classes(first).isDisjoint(with: classes(second)) { return true }
        func isName(_ token: GuardToken) -> Bool {
            token.traits.contains(.capital) && !token.traits.contains(.startsSentence)
        }
        if isName(a), isName(b) { return true }
        return text.mentions.contains {
            $0.sense.kind == .direction && $0.sense.member == Role.leads.rawValue && $0.tokens.lowerBound > first
                && $0.tokens.upperBound <= second
        } && old.mentions.contains { $0.sense.kind == .direction && $0.sense.member == Role.leads.rawValue }
    }
}

/// `20 miles in kilometres`, `USD/EUR`, `how many feet in a mile`: from one member of a class to another.
private struct Conversion: Equatable {
    var from: Sense
    var to: Sense
    var tokens: Range<Int>

    static func == (one: Conversion, other: Conversion) -> Bool { one.from == other.from && one.to == other.to }

    private static let links = Set(
        GuardTokenizer("in into to as 转 换 兑 成 为 化 算 →").tokens.map(\.hash))
    /// Words between the two.
    private static let reach = 4

    static func read(_ text: PreparedText) -> [Conversion] {
        var ends: [(sense: Sense, tokens: Range<Int>)] = text.mentions.filter { $0.sense.kind == .unit }.map {
            ($0.sense, $0.tokens)
        }
        for quantity in text.quantities { if let unit = quantity.unit { ends.append((unit, quantity.tokens)) } }
        guard ends.count > 1, ends.count < 16 else { return [] }
        ends.sort { ($0.tokens.lowerBound, $0.tokens.upperBound) < ($1.tokens.lowerBound, $1.tokens.upperBound) }
        var found: [Conversion] = []
        for (one, other) in zip(ends, ends.dropFirst())
        where one.sense.group == other.sense.group && one.sense.member != other.sense.member {
            let between = min(one.tokens.upperBound, other.tokens.lowerBound)..<other.tokens.lowerBound
            guard between.count <= reach else { continue }
            let isLinked =
                between.contains { links.contains(text.tokens[$0].hash) } || isSlash(text, one.tokens, other.tokens)
            guard isLinked else { continue }
            // The unit behind `how many` is the one asked for.
            let isAsked = text.mentions.contains {
                $0.sense.kind == .direction && $0.sense.member == Role.asks.rawValue
                    && $0.tokens.upperBound == one.tokens.lowerBound
            }
            let tokens = one.tokens.lowerBound..<other.tokens.upperBound
            found.append(
                isAsked
                    ? Conversion(from: other.sense, to: one.sense, tokens: tokens)
                    : Conversion(from: one.sense, to: other.sense, tokens: tokens))
        }
        return found
    }

    /// `USD/EUR`
    private static func isSlash(_ text: PreparedText, _ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.upperBound == other.lowerBound, other.lowerBound < text.tokens.count, one.upperBound > 0 else {
            return false
        }
        let gap = Int(text.tokens[one.upperBound - 1].upper)..<Int(text.tokens[other.lowerBound].lower)
        return gap.count <= 3 && text.scalars[gap].allSatisfy { $0 == 0x20 || $0 == 0x2F || $0 == 0x2D || $0 == 0x3E }
    }
}

/// What a text goes from and what it goes to.
private struct Roles {
    private var sources: [UInt64: Int] = [:]
    private var targets: [UInt64: Int] = [:]
    private var explicitSources: Set<UInt64> = []
    private(set) var isMarked = false

    /// Words on either side of a mark that may be its ends.
    private static let reach = 4

    init(_ text: PreparedText, _ scope: Range<Int>) {
        let marks = text.mentions.filter { $0.sense.kind == .direction && $0.tokens.overlaps(scope) }
        let places = Set(
            marks.filter { $0.sense.member == Role.leads.rawValue || $0.sense.member == Role.starts.rawValue }
                .map(\.tokens.lowerBound))
        // An amount is what it is an amount of: 500 dollars go to euros.
        var units: [Int: UInt64] = [:]
        for quantity in text.quantities {
            if let unit = quantity.unit { units[quantity.tokens.lowerBound] = FactReader.key(unit) }
        }
        func key(_ index: Int) -> UInt64 { units[index] ?? text.keys[index] }
        let hasStart = marks.contains { $0.sense.member == Role.starts.rawValue }
        for mark in marks {
            switch Role(rawValue: mark.sense.member) {
            case .leads:
                isMarked = true
                for index in Self.behind(text, mark.tokens.upperBound, places) { targets[key(index)] = index }
                guard !hasStart || text.tokens[mark.tokens.lowerBound].form == .han else { continue }
                for index in Self.before(text, mark.tokens.lowerBound, places) { sources[key(index)] = index }
            case .starts:
                isMarked = true
                for index in Self.behind(text, mark.tokens.upperBound, places) {
                    sources[key(index)] = index
                    explicitSources.insert(key(index))
                }
            case .asks: asked(text, mark)
            case .joins, nil: continue
            }
        }
    }

    /// Of the units in a question for an amount, the one behind `how many` is the target and the others sources.
    private mutating func asked(_ text: PreparedText, _ mark: Mention) {
        var units: [(key: UInt64, at: Int)] = []
        let start = mark.tokens.upperBound
        for mention in text.mentions where mention.sense.kind == .unit {
            units.append((text.keys[mention.tokens.lowerBound], mention.tokens.lowerBound))
        }
        let target = units.first { $0.at >= start && $0.at <= start + 1 }
        for quantity in text.quantities {
            if let unit = quantity.unit { units.append((FactReader.key(unit), quantity.tokens.lowerBound)) }
        }
        guard units.count > 1, let target else { return }
        isMarked = true
        for unit in units {
            if unit.key == target.key { targets[unit.key] = unit.at } else { sources[unit.key] = unit.at }
        }
    }

    /// Up to the next mark; an article may come first, any other small word ends the name.
    private static func behind(_ text: PreparedText, _ start: Int, _ marks: Set<Int>) -> [Int] {
        var found: [Int] = []
        var index = start
        var left = reach
        while index < text.tokens.count, left > 0, !marks.contains(index) {
            if text.isContent[index] { found.append(index) } else if !found.isEmpty, text.keys[index] != 0 { break }
            if text.keys[index] != 0 { left -= 1 }
            index += 1
        }
        return found
    }

    /// Small words may come between, as in `is A a better choice than B`.
    private static func before(_ text: PreparedText, _ end: Int, _ marks: Set<Int>) -> [Int] {
        var found: [Int] = []
        var index = end - 1
        var left = reach
        while index >= 0, left > 0, !marks.contains(index) {
            if text.isContent[index] { found.append(index) }
            if text.keys[index] != 0 { left -= 1 }
            index -= 1
        }
        return found
    }

    /// A word that is a source here and a target there, with its counterpart the other way round.
    func crossing(_ other: Roles) -> Int? {
        let out = sources.filter {
            other.targets[$0.key] != nil && targets[$0.key] == nil && other.sources[$0.key] == nil
        }
        let back = targets.filter {
            other.sources[$0.key] != nil && sources[$0.key] == nil && other.targets[$0.key] == nil
        }
        if let found = out.min(by: { $0.value < $1.value }), !back.isEmpty { return found.value }
        // Only one end is named: `from Paris` against `to Paris`.
        if targets.isEmpty, other.explicitSources.isEmpty,
            let found = out.first(where: { explicitSources.contains($0.key) })
        {
            return found.value
        }
        if other.targets.isEmpty, explicitSources.isEmpty,
            let found = back.first(where: { other.explicitSources.contains($0.key) })
        {
            return found.value
        }
        return nil
    }
}
