/// Reads what the guards compare out of the tokens of one text, in one pass from left to right.
struct FactReader {
    private(set) var tokens: [GuardToken]
    let scalars: [UInt32]
    private(set) var keys: [UInt64]
    private(set) var isContent: [Bool]
    private(set) var mentions: [Mention] = []
    private(set) var quantities: [Quantity] = []
    private(set) var denials: [DenialMention] = []
    /// English ones, to tell the language by.
    private(set) var functionWords = 0
    private let lexicon = GuardLexicon.shared
    private let numbers: NumberReader

    init(_ read: GuardTokenizer) {
        tokens = read.tokens
        scalars = read.scalars
        keys = tokens.map(\.stem)
        let scalars = read.scalars
        // Pictures are words, and so are comparisons; other operators go with what they connect.
        isContent = tokens.map {
            $0.form != .symbol || $0.traits.contains(.isFenced) || scalars[Int($0.lower)] >= 0x2190
                || [0x3C, 0x3E, 0x5E, 0xB2, 0xB3, 0xB9].contains(scalars[Int($0.lower)])
                || (0x2070...0x209C).contains(scalars[Int($0.lower)])
        }
        numbers = NumberReader(tokens: tokens, scalars: scalars)
        var index = 0
        while index < tokens.count { index = next(index) }
        separateVerbs()
        readTemperatures()
    }

    private static let separable: Set<UInt64> = [
        WordHash.of("turn"), WordHash.of("switch"), WordHash.of("power"), WordHash.of("shut"),
    ]
    private static let particles: [UInt64: [UInt64]] = [
        WordHash.of("on"): GuardTokenizer("turn on").tokens.map(\.hash),
        WordHash.of("off"): GuardTokenizer("turn off").tokens.map(\.hash),
    ]
    /// Words that may stand between the parts of a verb.
    private static let separation = 6

    /// `Turn the lights off` is `turn off the lights`: the particle is the end of an axis by itself no more.
    private mutating func separateVerbs() {
        for start in tokens.indices where Self.separable.contains(tokens[start].stem) {
            let end = min(tokens.count, start + 2 + Self.separation)
            guard start + 2 < end,
                let particle = ((start + 2)..<end).first(where: { Self.particles[tokens[$0].hash] != nil }),
                // `turn on` needs no other part.
                Self.particles[tokens[start + 1].hash] == nil
            else { continue }
            var pair = [tokens[start], tokens[particle]]
            pair[0].hash = Self.particles[tokens[particle].hash]?.first ?? pair[0].hash
            pair[0].stem = pair[0].hash
            guard let term = lexicon.longestTerm(in: pair, at: 0), term.length == 2 else { continue }
            mentions.removeAll { $0.sense.kind == .opposite && $0.tokens == particle..<(particle + 1) }
            for sense in term.senses where sense.kind == .opposite {
                mentions.append(Mention(sense: sense, tokens: start..<(start + 1)))
            }
            if let sense = term.senses.first(where: { $0.kind == .synonym }) { keys[start] = Self.key(sense) }
            isContent[start] = true
            keys[particle] = 0
            isContent[particle] = false
        }
    }

    /// `20C in F`, `c to f`: single letters are temperatures where two of them, or one and a name, stand in a text.
    private mutating func readTemperatures() {
        guard let group = lexicon.temperatures.first?.value.group else { return }
        let letters = tokens.indices.filter { lexicon.temperatures[tokens[$0].hash] != nil && tokens[$0].form == .word }
        guard !letters.isEmpty, letters.count < 4 else { return }
        var known = Set(letters.map { tokens[$0].hash }).count
        known += mentions.contains { $0.sense.kind == .unit && $0.sense.group == group } ? 1 : 0
        known += quantities.contains { $0.unit?.group == group } ? 1 : 0
        guard known > 1 else { return }
        for index in letters {
            guard let sense = lexicon.temperatures[tokens[index].hash] else { continue }
            keys[index] = Self.key(sense)
            isContent[index] = true
            if let before = quantities.firstIndex(where: { $0.tokens.upperBound == index && $0.unit == nil }) {
                quantities[before].unit = sense
                quantities[before].tokens = quantities[before].tokens.lowerBound..<(index + 1)
                quantities[before].kind = .plain
                keys[index] = 0
                isContent[index] = false
            } else {
                mentions.append(Mention(sense: sense, tokens: index..<(index + 1)))
            }
        }
    }

    private mutating func next(_ index: Int) -> Int {
        if let end = alternativeQuestion(index) { return end }
        let term = lexicon.longestTerm(in: tokens, at: index)
        // A number is a number unless a longer term holds it: 十分, 第一次世界大战.
        if let found = numbers.number(at: index), (term?.length ?? 0) <= found.end - index {
            return take(found, index)
        }
        guard let term else { return index + 1 }
        take(term.senses, index..<(index + term.length))
        return index + term.length
    }

    /// 是不是, 有没有, 喜不喜欢: asks and denies nothing.
    private mutating func alternativeQuestion(_ index: Int) -> Int? {
        guard index + 2 < tokens.count, tokens[index].form == .han, tokens[index].hash == tokens[index + 2].hash,
            [0x4E0D, 0x6CA1].contains(scalars[Int(tokens[index + 1].lower)])
        else { return nil }
        isContent[index] = false
        isContent[index + 1] = false
        keys[index + 1] = 0
        return index + 2
    }

    /// 容易不容易
    private func isAlternative(_ negator: Int) -> Bool {
        guard negator > 1, negator + 2 < tokens.count, tokens[negator].form == .han else { return false }
        return tokens[negator - 2].hash == tokens[negator + 1].hash
            && tokens[negator - 1].hash == tokens[negator + 2].hash
    }

    private mutating func take(_ senses: ArraySlice<Sense>, _ range: Range<Int>) {
        var key: UInt64?
        var isName = false
        let first = tokens[range.lowerBound]
        // What is quoted is not said: neither politely nor to deny.
        let isQuoted = first.traits.contains(.isQuoted)
        let before = mentions.last
        for listed in senses {
            let sense = resolved(listed, first, range.lowerBound, before)
            switch sense.kind {
            case .function:
                functionWords += 1
                guard !isQuoted, !isLetterName(range.lowerBound) else { continue }
                for index in range { isContent[index] = false }
            case .negator:
                // `noted` is not `not`.
                guard !isQuoted,
                    range.count > 1 || first.hash == first.stem || sense.member != Denial.plain.rawValue,
                    !isAlternative(range.lowerBound)
                else {
                    continue
                }
                denials.append(DenialMention(denial: Denial(rawValue: sense.member) ?? .none, tokens: range))
                for index in range { isContent[index] = false }
            // Short names are no units by themselves; numbers take theirs.
            case .measure, .shortUnit, .capitalContrast: continue
            case .unit:
                mentions.append(Mention(sense: sense, tokens: range))
                key = key ?? Self.key(sense)
            case .opposite, .direction, .foreign:
                mentions.append(Mention(sense: sense, tokens: range))
                if sense.kind == .direction, range.count > 1 { for index in range { isContent[index] = false } }
            case .contrast, .synonym:
                if sense.kind == .contrast {
                    mentions.append(Mention(sense: sense, tokens: range))
                    isName = true
                }
                if sense.kind == .synonym, range.count > 1 { mentionInner(range) }
                key = key ?? Self.key(sense)
            }
        }
        guard let key, range.count > 1 || isContent[range.lowerBound] || isName else { return }
        keys[range.lowerBound] = key
        isContent[range.lowerBound] = true
        for index in range.dropFirst() {
            keys[index] = 0
            isContent[index] = false
        }
    }

    /// Plan A, vitamin A: no article.
    private func isLetterName(_ index: Int) -> Bool {
        let token = tokens[index]
        return token.hash == Self.wordA && token.traits.contains(.capital) && !token.traits.contains(.startsSentence)
            && !(index + 1 < tokens.count && tokens[index + 1].traits.contains(.capital))
    }

    private static let wordA = WordHash.of("a")

    /// A name that needs its capital letter, or a short unit where a unit is asked for, is what it looks like.
    private func resolved(_ sense: Sense, _ token: GuardToken, _ index: Int, _ before: Mention?) -> Sense {
        var sense = sense
        switch sense.kind {
        case .capitalContrast:
            let isAmongHan =
                index > 0 && tokens[index - 1].form == .han
                || index + 1 < tokens.count && tokens[index + 1].form == .han
            let isName =
                token.traits.contains(.capital) && !token.traits.contains(.startsSentence)
                && (token.range.count > 2 || token.traits.contains(.allCapitals) || token.form == .code
                    || token.range.count == 1 || !Self.isPronoun(token))
            if isName || isAmongHan { sense.kind = .contrast }
        case .shortUnit:
            if let before, before.sense.kind == .direction, before.tokens.upperBound == index,
                token.form == .han || token.range.count > 3
            {
                sense.kind = .unit
            }
        default: break
        }
        return sense
    }

    private static let pronouns: Set<UInt64> = [WordHash.of("us"), WordHash.of("it")]

    private static func isPronoun(_ token: GuardToken) -> Bool { pronouns.contains(token.hash) }

    static func key(_ sense: Sense) -> UInt64 {
        var hash = WordHash()
        hash.add(0x110000 + UInt32(sense.kind.rawValue))
        hash.add(UInt32(sense.group))
        hash.add(UInt32(sense.member))
        return hash.value
    }

    // MARK: Numbers

    private mutating func take(_ found: NumberReader.Found, _ start: Int) -> Int {
        var end = found.end
        var kind = Quantity.Kind.plain
        var isSure = found.isSure
        var value = found.value
        var unit: Sense?
        if found.isVersion || isVersionMark(start - 1) { kind = .version }
        if end < tokens.count, tokens[end].traits.contains(.isGlued), Self.ordinalEndings.contains(tokens[end].hash) {
            end += 1
        }
        let spoken = value
        if let clock = clock(value, start, end) {
            value = clock.minutes
            end = clock.end
            kind = .clock
        }
        if found.digits == 4, end < tokens.count, isYearMark(end) {
            kind = .year
            end += 1
        }
        if kind == .plain {
            (unit, end) = unitBehind(end)
            if unit == nil { unit = unitBefore(start) }
            if let unit, let factor = lexicon.units[Int(unit.member)].factor { value *= factor }
            if unit == nil, found.digits == 4, value >= 1000, value < 2200 { kind = .year }
        }
        if !isSure { isSure = isSurelyCounted(start, found.end, unit) && value != 1 }
        quantities.append(
            Quantity(
                kind: kind, value: value, spoken: spoken, spelling: tokens[start].hash,
                hasPoint: scalars[tokens[start].range].contains(0x2E), unit: unit, tokens: start..<end, isSure: isSure))
        if end - start == 1 || unit != nil { mentionOthers(start, found.end, end) }
        mark(start..<end, value, kind, isSure)
        return end
    }

    private mutating func mark(_ range: Range<Int>, _ value: Double, _ kind: Quantity.Kind, _ isSure: Bool) {
        for index in range.dropFirst() where tokens[index].form != .han || isSure {
            isContent[index] = false
            keys[index] = 0
        }
        var hash = WordHash()
        hash.add(0x120000)
        let bits = value.bitPattern
        hash.add(UInt32(truncatingIfNeeded: bits))
        hash.add(UInt32(truncatingIfNeeded: bits >> 32))
        if value >= Quantity.exact { hash.add(UInt32(truncatingIfNeeded: tokens[range.lowerBound].hash)) }
        keys[range.lowerBound] = hash.value
        isContent[range.lowerBound] =
            isSure || tokens[range.lowerBound].form == .word && value != 1
            || tokens[range.lowerBound].hash == Self.wordFirst
    }

    private static let ordinalEndings: Set<UInt64> = [
        WordHash.of("st"), WordHash.of("nd"), WordHash.of("rd"), WordHash.of("th"), WordHash.of("s"),
    ]
    private static let versionMarks: Set<UInt64> = [
        WordHash.of("v"), WordHash.of("ver"), WordHash.of("version"), WordHash.of("release"),
    ]
    private static let wordFirst = WordHash.of("first")
    private static let am = WordHash.of("am")
    private static let pm = WordHash.of("pm")
    private static let clockWord = WordHash.of("o'clock")
    private static let colon: UInt32 = 0x3A

    private func isVersionMark(_ index: Int) -> Bool {
        index >= 0 && Self.versionMarks.contains(tokens[index].hash)
    }

    /// 年
    private func isYearMark(_ index: Int) -> Bool {
        tokens[index].form == .han && scalars[Int(tokens[index].lower)] == 0x5E74
    }

    /// `3pm`, `15:30`, `3 o'clock`, in minutes after midnight.
    private func clock(_ hours: Double, _ start: Int, _ end: Int) -> (minutes: Double, end: Int)? {
        guard hours < 25, hours == hours.rounded(), end < tokens.count else { return nil }
        var minutes = hours * 60
        var index = end
        var isClock = false
        if index + 1 < tokens.count, tokens[index].form == .symbol, scalars[Int(tokens[index].lower)] == Self.colon,
            tokens[index + 1].form == .number, tokens[index + 1].range.count == 2,
            let more = numbers.number(at: index + 1), more.value < 60
        {
            minutes += more.value
            index += 2
            isClock = true
        }
        if index < tokens.count {
            let word = tokens[index].hash
            let isAfternoon = word == Self.pm
            if isAfternoon || word == Self.am {
                if isAfternoon, hours < 12 { minutes += 720 }
                if !isAfternoon, hours == 12 { minutes -= 720 }
                return (minutes, index + 1)
            }
            if word == Self.clockWord {
                index += 1
                isClock = true
            }
        }
        if let isAfternoon = partOfDay(index), hours <= 12 {
            if isAfternoon, hours < 12 { minutes += 720 }
            return (minutes, index)
        }
        return isClock ? (minutes, index) : nil
    }

    private static let afternoons: Set<UInt64> = [
        WordHash.of("afternoon"), WordHash.of("evening"), WordHash.of("night"), WordHash.of("tonight"),
    ]
    private static let wordsBetween: Set<UInt64> = [WordHash.of("in"), WordHash.of("at"), WordHash.of("the")]

    /// `in the evening` behind an hour.
    private func partOfDay(_ start: Int) -> Bool? {
        var index = start
        while index < tokens.count, index < start + 2, Self.wordsBetween.contains(tokens[index].hash) { index += 1 }
        guard index > start, index < tokens.count else { return nil }
        if Self.afternoons.contains(tokens[index].hash) { return true }
        return tokens[index].hash == WordHash.of("morning") ? false : nil
    }

    /// `first` is an end of an axis too, and `sentences` a form.
    private mutating func mentionOthers(_ start: Int, _ behind: Int, _ end: Int) {
        let places = behind < end ? [start, behind] : [start]
        for place in places {
            guard let term = lexicon.longestTerm(in: tokens, at: place) else { continue }
            for sense in term.senses where sense.kind == .opposite || sense.kind == .contrast {
                mentions.append(Mention(sense: sense, tokens: place..<(place + term.length)))
            }
        }
    }

    /// `date of birth` has an opposite in it.
    private mutating func mentionInner(_ range: Range<Int>) {
        for index in range {
            guard let term = lexicon.longestTerm(in: tokens, at: index), term.length == 1 else { continue }
            for sense in term.senses where sense.kind == .opposite {
                mentions.append(Mention(sense: sense, tokens: index..<(index + 1)))
            }
        }
    }

    /// The unit right behind a number.
    private func unitBehind(_ end: Int) -> (Sense?, Int) {
        guard end < tokens.count, tokens[end].form != .code,
            let term = lexicon.longestTerm(in: tokens, at: end)
        else { return (nil, end) }
        for sense in term.senses where sense.kind == .unit || sense.kind == .shortUnit {
            return (Sense(kind: .unit, group: sense.group, member: sense.member), end + term.length)
        }
        return (nil, end)
    }

    /// A currency, 百分之.
    private func unitBefore(_ start: Int) -> Sense? {
        guard start > 0, let last = mentions.last, last.sense.kind == .unit, last.tokens.upperBound == start,
            tokens[start - 1].form == .symbol || tokens[start - 1].form == .han
        else { return nil }
        return last.sense
    }

    /// A single Chinese numeral is part of a word more often than not; it counts between signs of counting.
    private func isSurelyCounted(_ start: Int, _ end: Int, _ unit: Sense?) -> Bool {
        guard tokens[start].form == .han else { return false }
        if unit != nil { return true }
        if start > 0, tokens[start - 1].form == .han, scalars[Int(tokens[start - 1].lower)] == NumberReader.ordinalMark
        {
            return true
        }
        guard end < tokens.count else { return true }
        guard let term = lexicon.longestTerm(in: tokens, at: end) else { return false }
        return term.senses.contains { $0.kind == .measure || isOperator($0) }
    }

    private func isOperator(_ sense: Sense) -> Bool {
        sense.kind == .contrast && lexicon.classes[Int(sense.group)].guardian == .number
    }
}
