/// An amount, a count, an ordinal, a year, a time of day or a version.
struct Quantity: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        case plain, year, version, clock
    }

    var kind: Kind
    /// In the unit's base where there is a factor; minutes for a time of day.
    var value: Double
    /// The number without its unit.
    var spoken: Double
    /// Of the spelling, where 3.1 and 3.10 are not the same.
    var spelling: UInt64
    var hasPoint: Bool
    var unit: Sense?
    var tokens: Range<Int>
    /// A lone `one` or 一 is more often an article or part of a word than an amount.
    var isSure: Bool

    /// From here on whole numbers are rounded.
    static let exact = 0x1p53

    /// The value is in the base of its dimension.
    private var isConverted: Bool { unit.flatMap { GuardLexicon.shared.units[Int($0.member)].factor } != nil }

    /// The same amount, whatever it was written in.
    func agrees(with other: Quantity) -> Bool {
        // An account has more digits than a number holds.
        if spoken >= Self.exact || other.spoken >= Self.exact { return spelling == other.spelling }
        if hasPoint, other.hasPoint, unit == nil, other.unit == nil { return spelling == other.spelling }
        if kind == .clock, other.kind == .clock { return value == other.value }
        if unit == nil || other.unit == nil { return spoken == other.spoken || value == other.value }
        guard unit == other.unit || isConverted && other.isConverted && unit?.group == other.unit?.group else {
            return false
        }
        // Two units that say the same, and the rounding between them.
        return abs(value - other.value) <= 1e-6 * max(abs(value), abs(other.value))
    }
}

/// Numbers in digits, in English words and in Chinese numerals.
struct NumberReader {
    let tokens: [GuardToken]
    let scalars: [UInt32]

    struct Found {
        var value: Double
        var end: Int
        var isSure = true
        var isVersion = false
        var digits = 0
    }

    private enum Numeral {
        case unit(Double)
        case ten(Double)
        case scale(Double)
    }

    private static let english: [UInt64: Numeral] = {
        var table: [UInt64: Numeral] = [:]
        let ones: [StaticString] = [
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
            "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
        ]
        let tens: [StaticString] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
        for (value, word) in ones.enumerated() { table[WordHash.of(word)] = .unit(Double(value)) }
        for (index, word) in tens.enumerated() { table[WordHash.of(word)] = .ten(Double(index + 2) * 10) }
        let ordinals: [StaticString] = [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
            "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
            "twentieth",
        ]
        for (index, word) in ordinals.enumerated() { table[WordHash.of(word)] = .unit(Double(index + 1)) }
        table[WordHash.of("thirtieth")] = .ten(30)
        table[WordHash.of("hundred")] = .scale(100)
        table[WordHash.of("thousand")] = .scale(1000)
        table[WordHash.of("million")] = .scale(1e6)
        table[WordHash.of("billion")] = .scale(1e9)
        table[WordHash.of("trillion")] = .scale(1e12)
        table[WordHash.of("dozen")] = .scale(12)
        table[WordHash.of("twice")] = .unit(2)
        table[WordHash.of("hundreds")] = nil
        return table
    }()

    static let chinese: [UInt32: Double] = [
        0x3007: 0, 0x96F6: 0, 0x4E00: 1, 0x4E8C: 2, 0x4E24: 2, 0x4E09: 3, 0x56DB: 4, 0x4E94: 5, 0x516D: 6, 0x4E03: 7,
        0x516B: 8, 0x4E5D: 9, 0x4FE9: 2, 0x4EE8: 3,
    ]
    /// 十, 百, 千, 万, 亿.
    static let chineseScales: [UInt32: Double] = [0x5341: 10, 0x767E: 100, 0x5343: 1000, 0x4E07: 1e4, 0x4EBF: 1e8]
    private static let wordAnd = WordHash.of("and")
    private static let wordOne = WordHash.of("one")
    private static let wordsUnsure: Set<UInt64> = [
        WordHash.of("one"), WordHash.of("first"), WordHash.of("second"), WordHash.of("zero"), WordHash.of("twice"),
    ]
    /// 第 each makes a numeral sure.
    static let ordinalMark: UInt32 = 0x7B2C

    /// The number that starts at a token.
    func number(at start: Int) -> Found? {
        let token = tokens[start]
        switch token.form {
        case .number: return digits(at: start)
        case .word: return words(at: start)
        case .han: return numerals(at: start)
        default: return nil
        }
    }

    private func digits(at start: Int) -> Found? {
        guard var value = decimal(tokens[start]) else { return nil }
        let spelling = scalars[tokens[start].range]
        let points = spelling.count { $0 == 0x2E }
        var found = Found(value: value, end: start + 1)
        found.digits = spelling.count
        found.isVersion = points > 1
        guard let next = tokens.indices.contains(start + 1) ? tokens[start + 1] : nil else { return found }
        if next.form == .word, case .scale(let scale)? = Self.english[next.hash] {
            value *= scale
            return Found(value: value, end: start + 2)
        }
        if next.form == .word, next.traits.contains(.isGlued), next.hash == WordHash.of("k") {
            return Found(value: value * 1000, end: start + 2)
        }
        var end = start + 1
        while end < tokens.count, tokens[end].form == .han, let scale = Self.chineseScales[scalar(end)], scale >= 100,
            !startsLongerTerm(end)
        {
            value *= scale
            end += 1
        }
        found.value = value
        found.end = end
        return found
    }

    /// 千 of 千克 belongs to the unit.
    private func startsLongerTerm(_ index: Int) -> Bool {
        guard let term = GuardLexicon.shared.longestTerm(in: tokens, at: index) else { return false }
        return term.length > 1
    }

    private func scalar(_ index: Int) -> UInt32 { scalars[Int(tokens[index].lower)] }

    /// The value of digits with thousands separators; the first two groups of a version.
    private func decimal(_ token: GuardToken) -> Double? {
        var value = 0.0
        var place = 0.0
        for scalar in scalars[token.range] {
            switch scalar {
            case 0x30...0x39:
                let digit = Double(scalar - 0x30)
                if place > 0 {
                    value += digit * place
                    place /= 10
                } else {
                    value = value * 10 + digit
                }
            case 0x2E:
                if place > 0 { return value }
                place = 0.1
            default: value += ScalarClass.fraction(scalar) ?? 0
            }
        }
        return value
    }

    private func words(at start: Int) -> Found? {
        guard Self.english[tokens[start].hash] != nil else { return nil }
        var total = 0.0
        var current = 0.0
        var index = start
        var previousTen = false
        var hasUnit = false
        while index < tokens.count, tokens[index].form == .word {
            guard let numeral = Self.english[tokens[index].hash] else {
                // "two hundred and five", but not "two and five".
                guard tokens[index].hash == Self.wordAnd, current >= 100 || total > 0, index + 1 < tokens.count,
                    Self.english[tokens[index + 1].hash] != nil
                else { break }
                index += 1
                continue
            }
            switch numeral {
            case .unit(let value):
                guard !hasUnit, !previousTen || value < 10 else { return finished(start, index, total + current) }
                current += value
                hasUnit = true
                previousTen = false
            case .ten(let value):
                guard !hasUnit, !previousTen else { return finished(start, index, total + current) }
                current += value
                previousTen = true
            case .scale(let scale):
                if index == start, scale == 12 || scale == 100 { current = 1 }
                guard current > 0 || index > start else { return nil }
                current = (current == 0 ? 1 : current) * scale
                if scale >= 1000 {
                    total += current
                    current = 0
                }
                hasUnit = false
                previousTen = false
            }
            index += 1
        }
        return finished(start, index, total + current)
    }

    private func finished(_ start: Int, _ end: Int, _ value: Double) -> Found {
        var found = Found(value: value, end: end)
        found.isSure = end - start > 1 || !Self.wordsUnsure.contains(tokens[start].hash)
        return found
    }

    /// 三百零五, 二〇二四, 一万五千.
    private func numerals(at start: Int) -> Found? {
        var total = 0.0
        var section = 0.0
        var digit: Double?
        var digits = 0
        var index = start
        var hasScale = false
        while index < tokens.count, tokens[index].form == .han {
            let character = scalar(index)
            if let value = Self.chinese[character] {
                digit = !hasScale && digit != nil ? (digit ?? 0) * 10 + value : value
                digits += 1
            } else if let scale = Self.chineseScales[character], index > start || scale <= 100,
                index == start || !startsLongerTerm(index)
            {
                hasScale = true
                if scale >= 1e4 {
                    total = (total + section + (digit ?? 0)) * scale
                    section = 0
                } else {
                    section += (digit ?? 1) * scale
                }
                digit = nil
                digits += 1
            } else {
                break
            }
            index += 1
        }
        guard index > start else { return nil }
        var found = Found(value: total + section + (digit ?? 0), end: index)
        found.digits = hasScale ? 0 : digits
        found.isSure = digits > 1
        return found
    }
}
