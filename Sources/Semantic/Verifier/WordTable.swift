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
    }

    func isChineseWord(_ word: String) -> Bool { chinese.contains(word) }

    func question(_ word: String) -> QuestionClass? { questions[word] }

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
