/// Two texts beside each other: what they share, and where they differ.
struct Comparison {
    let new: PreparedText
    let old: PreparedText
    /// Tokens whose meaning the other text does not have left, counted with multiplicity.
    private(set) var newUnmatched: [Bool]
    private(set) var oldUnmatched: [Bool]
    /// Positions of tokens.
    private(set) var hunks: [TokenDifference.Hunk] = []
    private(set) var sharedContent = 0
    private(set) var typingErrors = 0
    /// Shared words that are spelled differently.
    private(set) var synonyms = 0
    /// Shared words of any kind.
    private(set) var sharedWords = 0
    /// Words in common, in order, and those of the longer text.
    private(set) var common = 0
    private(set) var longest = 0
    private(set) var steps = 0
    /// Words with content in the differing parts, and how many of them both have.
    private(set) var differenceNew = 0
    private(set) var differenceOld = 0
    private(set) var differenceShared = 0

    /// From this many words in common on, texts that are mostly the same are judged by their difference.
    static let longCommon = 30

    init(_ new: PreparedText, _ old: PreparedText) {
        self.new = new
        self.old = old
        newUnmatched = new.isContent
        oldUnmatched = old.isContent
        match()
        matchTypingErrors()
        align()
        matchDifference()
    }

    /// The words with content of the sentences that differ.
    private static func differing(_ text: PreparedText, _ ranges: [Range<Int>]) -> [UInt64] {
        var found: [UInt64] = []
        var end = 0
        for range in ranges where !range.isEmpty {
            var lower = min(range.lowerBound, text.tokens.count)
            while lower > end, lower >= text.tokens.count || !text.tokens[lower].traits.contains(.startsSentence) {
                lower -= 1
            }
            var upper = max(range.upperBound, end)
            while upper < text.tokens.count, !text.tokens[upper].traits.contains(.startsSentence) { upper += 1 }
            for index in max(lower, end)..<max(upper, lower, end)
            where index < text.tokens.count && (text.isContent[index] || text.keys[index] == 0)
                && !references.contains(text.tokens[index].stem)
            {
                // Inside a term its words count, so that other terms with the same words have something in common.
                found.append(text.tokens[index].stem)
                if text.keys[index] != 0, text.keys[index] != text.tokens[index].stem { found.append(text.keys[index]) }
            }
            end = max(end, upper)
        }
        return found.sorted()
    }

    /// Words that point at the material, which both requests share whatever they ask for.
    private static let references: Set<UInt64> = {
        let words = GuardTokenizer(
            "text texts above below following passage article document content paragraph given sentence this 上文面内容文字下述章段话"
        )
        return Set(words.tokens.map(\.stem))
    }()

    private mutating func matchDifference() {
        let left = Self.differing(new, hunks.map(\.new))
        let right = Self.differing(old, hunks.map(\.old))
        (differenceNew, differenceOld) = (left.count, right.count)
        var (first, second) = (0, 0)
        while first < left.count, second < right.count {
            steps += 1
            if left[first] == right[second] {
                differenceShared += 1
                first += 1
                second += 1
            } else if left[first] < right[second] {
                first += 1
            } else {
                second += 1
            }
        }
        differenceShared += typingErrors
    }

    /// Shared words with content by those of both texts.
    var contentOverlap: Float {
        let total = new.isContent.count { $0 } + old.isContent.count { $0 }
        return total == 0 ? 1 : min(1, Float(2 * sharedContent) / Float(total))
    }

    /// Every word with content has its match; what differs are little words, order and marks.
    var hasSameContent: Bool { !newUnmatched.contains(true) && !oldUnmatched.contains(true) }

    var isLong: Bool { common >= Self.longCommon && common * 10 >= longest * 6 }

    /// Intersects both bags of words in one pass.
    private mutating func match() {
        var left = 0
        var right = 0
        while left < new.sorted.count, right < old.sorted.count {
            steps += 1
            let first = Int(new.sorted[left])
            let second = Int(old.sorted[right])
            let (a, b) = (new.keys[first], old.keys[second])
            if a == b {
                if a != 0 {
                    sharedWords += 1
                    if new.isContent[first], old.isContent[second] { sharedContent += 1 }
                    if new.tokens[first].stem != old.tokens[second].stem { synonyms += 1 }
                    newUnmatched[first] = false
                    oldUnmatched[second] = false
                }
                left += 1
                right += 1
            } else if a < b {
                left += 1
            } else {
                right += 1
            }
        }
    }

    private mutating func align() {
        let newPositions = new.keys.indices.filter { new.keys[$0] != 0 }
        let oldPositions = old.keys.indices.filter { old.keys[$0] != 0 }
        let difference = TokenDifference(newPositions.map { new.keys[$0] }, oldPositions.map { old.keys[$0] })
        common = difference.common
        steps += difference.steps
        longest = max(newPositions.count, oldPositions.count)
        func range(_ range: Range<Int>, _ positions: [Int], _ end: Int) -> Range<Int> {
            let lower = range.lowerBound < positions.count ? positions[range.lowerBound] : end
            guard !range.isEmpty else { return lower..<lower }
            let upper = range.upperBound < positions.count ? positions[range.upperBound] : end
            return lower..<upper
        }
        hunks = difference.hunks.map {
            TokenDifference.Hunk(
                new: range($0.new, newPositions, new.tokens.count), old: range($0.old, oldPositions, old.tokens.count))
        }
    }

    // MARK: Typing errors

    /// At most so many unmatched words of each text are looked at.
    private static let mostUnmatched = 12

    private mutating func matchTypingErrors() {
        let left = Self.spelled(new, newUnmatched)
        let candidates = Self.spelled(old, oldUnmatched)
        for first in left {
            for second in candidates where oldUnmatched[second] {
                steps += 1
                let (a, b) = (new.scalars[new.tokens[first].range], old.scalars[old.tokens[second].range])
                guard Spelling.isSlip(a, b) else { continue }
                newUnmatched[first] = false
                oldUnmatched[second] = false
                typingErrors += 1
                sharedContent += 1
                break
            }
        }
    }

    /// Unmatched plain words that are long enough to be misspelled; abbreviations and known terms are what they are. What
    /// a letter more or less does is known of English alone: Polish `włączyć` and `wyłączyć` are on and off.
    private static func spelled(_ text: PreparedText, _ unmatched: [Bool]) -> [Int] {
        var found: [Int] = []
        for (index, token) in text.tokens.enumerated()
        where unmatched[index] && token.form == .word && token.range.count >= 4
            && !token.traits.contains(.allCapitals) && text.keys[index] == token.stem
            && text.scalars[token.range].allSatisfy({ $0 < 0x80 })
        {
            found.append(index)
            if found.count == mostUnmatched { break }
        }
        return found
    }

    /// The places to compare facts in: the whole texts, or the parts that differ when the rest is the same.
    var scopes: [TokenDifference.Hunk] {
        isLong ? joinedHunks : [TokenDifference.Hunk(new: new.tokens.indices, old: old.tokens.indices)]
    }

    /// Differences with less than three words between them are one.
    var joinedHunks: [TokenDifference.Hunk] {
        var joined: [TokenDifference.Hunk] = []
        for hunk in hunks {
            if let last = joined.last, hunk.new.lowerBound - last.new.upperBound < 3,
                hunk.old.lowerBound - last.old.upperBound < 3
            {
                joined[joined.count - 1].new = last.new.lowerBound..<hunk.new.upperBound
                joined[joined.count - 1].old = last.old.lowerBound..<hunk.old.upperBound
            } else {
                joined.append(hunk)
            }
        }
        return joined
    }
}

enum Spelling {
    /// One letter too many or too few, or two that changed places; a replaced letter only in long words, where it is
    /// rarely another word.
    static func isSlip(_ first: ArraySlice<UInt32>, _ second: ArraySlice<UInt32>) -> Bool {
        let (short, long) = first.count <= second.count ? (first, second) : (second, first)
        guard long.count - short.count <= 1, short.first == long.first else { return false }
        var start = 0
        while start < short.count, short[short.startIndex + start] == long[long.startIndex + start] { start += 1 }
        var end = 0
        while end < short.count - start, short[short.endIndex - 1 - end] == long[long.endIndex - 1 - end] { end += 1 }
        let left = short.count - start - end
        if long.count > short.count { return left == 0 }
        if left == 2 {
            let (a, b) = (short.startIndex + start, long.startIndex + start)
            return short[a] == long[b + 1] && short[a + 1] == long[b]
        }
        return left == 1 && short.count >= 7
    }
}
