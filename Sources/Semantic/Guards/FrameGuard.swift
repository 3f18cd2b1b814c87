/// The same words in another frame: another question word, tense, voice, rank or quantity. Looks at texts that share all
/// words with content; where they do not the words themselves decide.
struct FrameGuard {
    private(set) var objections: [GuardObjection] = []

    init(_ comparison: Comparison) {
        exchange(comparison)
        rank(comparison)
        voice(comparison)
        restriction(comparison)
        guard comparison.hasSameContent else { return }
        question(comparison)
        tense(comparison)
    }

    private mutating func object(_ guardian: Guard, _ detail: String) {
        objections.append(GuardObjection(guardian, detail))
    }

    private mutating func question(_ comparison: Comparison) {
        guard !comparison.hunks.isEmpty, !comparison.isLong || Self.isOneWord(comparison) else { return }
        let (new, old) = (QuestionFocus(comparison.new), QuestionFocus(comparison.old))
        if new.conflicts(with: old) { object(.question, "asks for something else") }
    }

    /// Long texts differ in a word or two.
    private static func isOneWord(_ comparison: Comparison) -> Bool {
        comparison.hunks.count == 1 && comparison.hunks.allSatisfy { $0.new.count < 4 && $0.old.count < 4 }
    }

    // MARK: Tense

    private static let tenses: [Set<UInt64>] = [
        [WordHash.of("is"), WordHash.of("was")], [WordHash.of("are"), WordHash.of("were")],
    ]
    private static let subjects: Set<UInt64> = [
        WordHash.of("who"), WordHash.of("what"), WordHash.of("which"), WordHash.of("where"),
    ]

    /// `Who is` and `who was`: one asks for today. A year says when in either tense.
    private mutating func tense(_ comparison: Comparison) {
        guard let first = comparison.new.tokens.first, Self.subjects.contains(first.hash),
            !comparison.new.quantities.contains(where: { $0.kind == .year })
        else { return }
        for hunk in comparison.hunks where hunk.new.count == 1 && hunk.old.count == 1 {
            let pair: Set<UInt64> = [
                comparison.new.tokens[hunk.new.lowerBound].hash, comparison.old.tokens[hunk.old.lowerBound].hash,
            ]
            if Self.tenses.contains(pair) { return object(.date, Self.words(hunk, comparison)) }
        }
    }

    // MARK: Voice

    private mutating func voice(_ comparison: Comparison) {
        let (new, old) = (comparison.new, comparison.old)
        let isPassive = Self.passive(new)
        if isPassive != Self.passive(old) {
            let left = new.contentPositions.map { new.keys[$0] }
            let right = old.contentPositions.map { old.keys[$0] }
            if left.count == right.count, left.count > 1 {
                let differing = left.indices.filter { left[$0] != right[$0] }
                let isForm = differing.allSatisfy {
                    Self.isForm(new, new.contentPositions[$0], old, old.contentPositions[$0])
                }
                if differing.count < 2, isForm { object(.direction, "active / passive") }
            }
        }
        if let end = Self.passiveMark(new), Self.passiveMark(old) == nil {
            chineseVoice(new, end, old)
        } else if let end = Self.passiveMark(old), Self.passiveMark(new) == nil {
            chineseVoice(old, end, new)
        }
    }

    private static let passives: Set<UInt64> = [
        WordHash.of("is"), WordHash.of("are"), WordHash.of("was"), WordHash.of("were"), WordHash.of("been"),
        WordHash.of("be"), WordHash.of("being"), WordHash.of("get"), WordHash.of("got"),
    ]
    private static let by = WordHash.of("by")

    /// `was hit by`
    private static func passive(_ text: PreparedText) -> Bool {
        guard text.tokens.contains(where: { passives.contains($0.hash) }) else { return false }
        return text.tokens.indices.contains {
            text.tokens[$0].hash == by && $0 > 0 && text.isContent[$0 - 1] && $0 + 1 <= text.tokens.count
        }
    }

    /// `beat` and `beaten`, `wrote` and `written`.
    private static func isForm(_ new: PreparedText, _ first: Int, _ old: PreparedText, _ second: Int) -> Bool {
        let (a, b) = (new.scalars[new.tokens[first].range], old.scalars[old.tokens[second].range])
        return new.tokens[first].form == .word && a.count > 2 && b.count > 2 && a.prefix(2).elementsEqual(b.prefix(2))
    }

    private static let mark = WordHash.of([0x88AB])
    /// 了的着过给地得: say nothing about who does what.
    private static let particles = Set(
        [0x4E86, 0x7684, 0x7740, 0x8FC7, 0x7ED9, 0x5730, 0x5F97].map { WordHash.of([$0]) })

    private static func chineseWords(_ text: PreparedText) -> [Int] {
        text.tokens.indices.filter {
            text.tokens[$0].form == .han && !particles.contains(text.tokens[$0].hash)
                && text.tokens[$0].hash != mark && text.tokens[$0].hash != taker
        }
    }

    private static func passiveMark(_ text: PreparedText) -> Int? {
        text.tokens.firstIndex { $0.hash == mark && $0.form == .han }
    }

    /// 张三被李四打了 against 张三打了李四 and 张三把李四打了: who is first does it in the other text.
    private mutating func chineseVoice(_ passive: PreparedText, _ mark: Int, _ active: PreparedText) {
        let positions = Self.chineseWords(passive)
        let before = positions.filter { $0 < mark }.map { passive.tokens[$0].hash }
        let behind = positions.filter { $0 > mark }.map { passive.tokens[$0].hash }
        let other = Self.chineseWords(active).map { active.tokens[$0].hash }
        guard !before.isEmpty, behind.count > 1, other.count == before.count + behind.count,
            other.starts(with: before)
        else { return }
        let rest = Array(other.dropFirst(before.count))
        let isTurned = (1..<rest.count).contains { Array(rest[$0...] + rest[..<$0]) == behind && rest != behind }
        // Without 把 the same order is a way to leave 被 out.
        let hasTaker = active.tokens.contains { $0.hash == Self.taker && $0.form == .han }
        if isTurned || hasTaker && rest == behind { object(.direction, "被") }
    }

    /// 把
    private static let taker = WordHash.of([0x628A])

    // MARK: Rank

    /// `The second largest` against `the largest`.
    private mutating func rank(_ comparison: Comparison) {
        guard let new = Self.rank(comparison.new), let old = Self.rank(comparison.old), new != old else { return }
        object(.number, "rank \(Int(new)) / \(Int(old))")
    }

    private static let superlatives: Set<UInt64> = [
        WordHash.of("most"), WordHash.of("best"), WordHash.of("worst"), WordHash.of("least"), WordHash.of("last"),
    ]
    private static let nouns: Set<UInt64> = [
        WordHash.of("test"), WordHash.of("rest"), WordHash.of("west"), WordHash.of("guest"), WordHash.of("request"),
        WordHash.of("forest"), WordHash.of("interest"), WordHash.of("nest"), WordHash.of("quest"), WordHash.of("chest"),
        WordHash.of("latest"), WordHash.of("contest"), WordHash.of("harvest"), WordHash.of("honest"),
        WordHash.of("suggest"), WordHash.of("invest"), WordHash.of("everest"), WordHash.of("budapest"),
        WordHash.of("bucharest"), WordHash.of("pest"), WordHash.of("vest"), WordHash.of("digest"),
        WordHash.of("protest"), WordHash.of("arrest"), WordHash.of("manifest"), WordHash.of("modest"),
    ]
    /// 最, 第
    private static let highest: UInt32 = 0x6700
    private static let ordinal: UInt32 = 0x7B2C
    private static let measured = Set("大高长多好深快强远小低短少差浅慢弱近古贵重轻热冷富穷".unicodeScalars.map(\.value))

    /// The place of the first superlative, one where none is named; nil without a superlative.
    private static func rank(_ text: PreparedText) -> Double? {
        for index in text.tokens.indices {
            let token = text.tokens[index]
            let scalar = text.scalars[Int(token.lower)]
            if token.form == .han {
                if scalar == highest { return 1 }
                guard scalar == ordinal,
                    let place = text.quantities.first(where: { $0.tokens.lowerBound == index + 1 }),
                    place.tokens.upperBound < text.tokens.count,
                    measured.contains(text.scalars[Int(text.tokens[place.tokens.upperBound].lower)])
                else { continue }
                return place.spoken
            }
            guard token.form == .word, isSuperlative(token, text) else { continue }
            let place = text.quantities.first {
                $0.tokens.upperBound == index && $0.tokens.count <= 2 && $0.kind == .plain
                    && isOrdinal($0, text)
            }
            return place?.spoken ?? 1
        }
        return nil
    }

    private static func isSuperlative(_ token: GuardToken, _ text: PreparedText) -> Bool {
        if superlatives.contains(token.hash) { return true }
        let word = text.scalars[token.range]
        return word.count > 4 && word.suffix(3).elementsEqual([0x65, 0x73, 0x74]) && !nouns.contains(token.hash)
    }

    /// Not the ten of `ten best`.
    private static func isOrdinal(_ quantity: Quantity, _ text: PreparedText) -> Bool {
        let last = text.tokens[quantity.tokens.upperBound - 1]
        let word = text.scalars[last.range]
        if word.count == 2, last.traits.contains(.isGlued) { return true }
        return last.form == .word && (word.suffix(2).elementsEqual([0x74, 0x68]) || ordinals.contains(last.hash))
    }

    private static let ordinals: Set<UInt64> = [
        WordHash.of("first"), WordHash.of("second"), WordHash.of("third"),
    ]

    // MARK: Quantity

    private static let exchanges: [[UInt64]: Set<[UInt64]>] = {
        var table: [[UInt64]: Set<[UInt64]>] = [:]
        for line in Frames.exchanges.split(separator: "\n") {
            for pair in line.split(separator: "|") {
                let ends = pair.split(separator: " ").map { GuardTokenizer(String($0)).tokens.map(\.hash) }
                guard ends.count == 2 else { continue }
                table[ends[0], default: []].insert(ends[1])
                table[ends[1], default: []].insert(ends[0])
            }
        }
        return table
    }()

    /// Little words in each other's place, with no other difference nearby.
    private mutating func exchange(_ comparison: Comparison) {
        guard comparison.hasSameContent || comparison.hunks.count == 1 || comparison.isLong else { return }
        for hunk in comparison.hunks where (1...3).contains(hunk.new.count) && (1...3).contains(hunk.old.count) {
            let new = comparison.new.tokens[hunk.new].map(\.hash)
            let old = comparison.old.tokens[hunk.old].map(\.hash)
            guard Self.exchanges[new]?.contains(old) ?? false else { continue }
            return object(.antonym, Self.words(hunk, comparison))
        }
    }

    private static let restrictions = PhraseTable(Frames.restrictions)

    /// `Only`, with all other words the same.
    private mutating func restriction(_ comparison: Comparison) {
        guard comparison.hunks.count == 1 || comparison.hasSameContent else { return }
        for hunk in comparison.hunks where hunk.new.isEmpty != hunk.old.isEmpty {
            let (text, range) = hunk.new.isEmpty ? (comparison.old, hunk.old) : (comparison.new, hunk.new)
            guard Self.restrictions.covers(range, text.tokens) else { continue }
            return object(.antonym, text.spelled(range))
        }
    }

    private static func words(_ hunk: TokenDifference.Hunk, _ comparison: Comparison) -> String {
        "\(comparison.new.spelled(hunk.new)) / \(comparison.old.spelled(hunk.old))"
    }
}
