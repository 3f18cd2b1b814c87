/// A small list of phrases, found apart from the large one: there the longest term wins, whatever it is about.
struct PhraseTable: Sendable {
    private var members: [[UInt64]: Int] = [:]
    private var starts: Set<UInt64> = []
    private var longest = 0

    /// A line a member, its phrases parted by commas.
    init(_ list: String) {
        for (member, row) in list.split(separator: "\n").enumerated() {
            for phrase in row.split(separator: ",") {
                let words = GuardTokenizer(String(phrase)).tokens.map(\.hash)
                guard let first = words.first else { continue }
                members[words] = member
                starts.insert(first)
                longest = max(longest, words.count)
            }
        }
    }

    /// The longest phrase that starts at a token.
    func match(_ tokens: [GuardToken], at start: Int) -> (member: Int, length: Int)? {
        guard starts.contains(tokens[start].hash) else { return nil }
        for length in stride(from: min(longest, tokens.count - start), through: 1, by: -1) {
            if let member = members[tokens[start..<(start + length)].map(\.hash)] { return (member, length) }
        }
        return nil
    }

    func contains(_ tokens: [GuardToken], at start: Int) -> Bool { match(tokens, at: start) != nil }

    /// All of a range is made of phrases of the list.
    func covers(_ range: Range<Int>, _ tokens: [GuardToken]) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            guard let found = match(tokens, at: index) else { return false }
            index += found.length
        }
        return !range.isEmpty && index == range.upperBound
    }
}
