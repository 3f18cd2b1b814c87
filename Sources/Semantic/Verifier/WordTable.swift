/// How much a word tells: 0 for words that only hold a sentence together, 1 for rare ones.
package struct WordTable: Sendable {
    /// The built-in table.
    package static let standard = WordTable()

    private let ranks: [String: Int]
    private let fillers: Set<String>
    private let questions: [String: QuestionClass]
    /// Chinese words of more than one character that are read as one.
    let longestChinese: Int
    private let chinese: Set<String>
    /// Courtesies as their words, in Chinese as their characters.
    private let courtesies: Set<[UInt64]>
    private let longestCourtesy: Int

    private init() {
        var ranks: [String: Int] = [:]
        for (rank, word) in CommonWords.english.split(separator: " ").enumerated() { ranks[String(word)] = rank }
        self.ranks = ranks
        fillers = Set(
            (CommonWords.englishFillers + " " + CommonWords.chineseFillers).split(separator: " ").map(String.init))
        var questions: [String: QuestionClass] = [:]
        for (kind, words) in CommonWords.questions {
            for word in words.split(separator: " ") { questions[String(word)] = kind }
        }
        self.questions = questions
        chinese = fillers.union(questions.keys).filter { $0.unicodeScalars.count > 1 && !$0.utf8.contains { $0 < 128 } }
        longestChinese = chinese.map { $0.unicodeScalars.count }.max() ?? 1
        courtesies = Set(CommonWords.courtesies.split(separator: "|").map { Self.pieces($0) })
        longestCourtesy = courtesies.map(\.count).max() ?? 1
    }

    private static func pieces(_ phrase: Substring) -> [UInt64] {
        let isChinese = phrase.utf8.contains { $0 >= 128 }
        return isChinese
            ? phrase.unicodeScalars.map { ComparedText.hash(String($0).utf8) }
            : phrase.split(separator: " ").map { ComparedText.hash($0.utf8) }
    }

    /// What is left between courtesies at both ends; the longest ones win.
    func core(of pieces: [UInt64]) -> Range<Int> {
        func length(_ candidates: (Int) -> ArraySlice<UInt64>, _ most: Int) -> Int {
            stride(from: min(longestCourtesy, most), to: 0, by: -1)
                .first { courtesies.contains(Array(candidates($0))) } ?? 0
        }
        var start = 0
        while case let found = length({ pieces[start..<start + $0] }, pieces.count - start), found > 0 {
            start += found
        }
        var end = pieces.count
        while case let found = length({ pieces[end - $0..<end] }, end - start), found > 0 { end -= found }
        return start..<end
    }

    func isChineseWord(_ word: String) -> Bool { chinese.contains(word) }

    func question(_ word: String) -> QuestionClass? { questions[word] }

    /// Of the common English words, the commonest first.
    func rank(_ word: String) -> Int? { ranks[word] }

    package func weight(_ word: String) -> Float {
        if fillers.contains(word) { return 0.05 }
        if questions[word] != nil { return 0.15 }
        guard let rank = ranks[word] else { return 1 }
        return min(1, 0.3 + 0.7 * Float(rank) / Float(ranks.count))
    }
}

/// What kind of answer a question word asks for.
enum QuestionClass: UInt8, CaseIterable {
    case how, why, what, which, when, place, person, amount
}
