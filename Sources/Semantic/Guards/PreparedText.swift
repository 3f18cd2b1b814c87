/// A text read once, for any number of comparisons.
package struct PreparedText: Sendable {
    /// More UTF-8 bytes or tokens than these are refused unread: an encoder's window is far below.
    package static let mostBytes = 32_768
    static let mostTokens = 4_096
    /// So many numbers, terms and denials are compared with each other; more are refused like too many tokens.
    private static let mostQuantities = 256
    private static let mostMentions = 1_024
    private static let mostDenials = 64

    package let text: String
    package let isOversized: Bool
    let scalars: [UInt32]
    let tokens: [GuardToken]
    /// What a token means, for comparison: the same number for forms of one word, synonyms and aliases.
    let keys: [UInt64]
    /// Tokens that carry content, by position.
    let isContent: [Bool]
    /// Positions in the order of their keys, so that two texts are intersected in one pass.
    let sorted: [Int32]
    let mentions: [Mention]
    let quantities: [Quantity]
    let denials: [DenialMention]
    let quotations: [Range<Int>]
    let signs: [Sign]
    let script: ScriptShare
    /// Of what is not, the word lists have no opposites.
    let isEnglishOrChinese: Bool

    package init(_ text: String) {
        self.text = text
        var read = GuardTokenizer(text.utf8.count <= Self.mostBytes ? text : "")
        var reader = FactReader(read.tokens.count <= Self.mostTokens ? read : GuardTokenizer(""))
        let fits =
            text.utf8.count <= Self.mostBytes && read.tokens.count <= Self.mostTokens
            && reader.quantities.count <= Self.mostQuantities && reader.mentions.count <= Self.mostMentions
            && reader.denials.count <= Self.mostDenials
        if !fits {
            read = GuardTokenizer("")
            reader = FactReader(read)
        }
        isOversized = !fits
        scalars = reader.scalars
        tokens = reader.tokens
        keys = reader.keys
        isContent = reader.isContent
        mentions = reader.mentions
        quantities = reader.quantities
        denials = reader.denials
        quotations = read.quotations
        signs = fits ? Sign.read(text) : []
        isEnglishOrChinese = !fits || Self.isCovered(text)
        script = ScriptShare(reader.tokens, reader.mentions, functionWords: reader.functionWords)
        let keys = reader.keys
        sorted = keys.indices.map { Int32($0) }.sorted {
            (keys[Int($0)], $0) < (keys[Int($1)], $1)
        }
    }

    /// Whether the word lists know the writing system, and the language where they can tell: Latin letters or Chinese
    /// characters, and not the Japanese mix of them with kana.
    private static func isCovered(_ text: String) -> Bool {
        var counts: [Script: Int] = [:]
        for script in text.unicodeScalars.lazy.compactMap(Script.init) { counts[script, default: 0] += 1 }
        let han = counts[.han] ?? 0
        let letters = counts.values.reduce(0, +)
        guard letters > 0 else { return true }
        guard (han + (counts[.latin] ?? 0)) * 2 >= letters, (counts[.kana] ?? 0) * 4 <= han else { return false }
        return han > 0 || LanguageShare(text).isEnglish
    }

    /// Positions of the words that carry content, in order.
    var contentPositions: [Int] { isContent.indices.filter { isContent[$0] } }

    /// Whether a token of that meaning is in the text.
    func contains(_ key: UInt64) -> Bool {
        var (lower, upper) = (0, sorted.count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if keys[Int(sorted[middle])] < key { lower = middle + 1 } else { upper = middle }
        }
        return lower < sorted.count && keys[Int(sorted[lower])] == key
    }

    /// The words of some tokens as they were written.
    func spelled(_ range: Range<Int>) -> String {
        guard let first = range.first, let last = range.last, last < tokens.count else { return "" }
        return spelled(scalars: Int(tokens[first].lower)..<max(Int(tokens[first].lower), Int(tokens[last].upper)))
    }

    func spelled(scalars range: Range<Int>) -> String {
        let view = text.unicodeScalars
        let lower = view.index(view.startIndex, offsetBy: range.lowerBound)
        return String(view[lower..<view.index(lower, offsetBy: range.count)])
    }
}

/// A term of the word lists in a text.
struct Mention: Sendable, Equatable {
    var sense: Sense
    var tokens: Range<Int>
}

/// A word that denies.
struct DenialMention: Sendable, Equatable {
    var denial: Denial
    var tokens: Range<Int>
}

/// How much of a text is written in Chinese characters or kana, and in letters.
struct ScriptShare: Sendable, Equatable {
    var han = 0
    var words = 0

    /// Spanish, French and so on, by its common words; nil for English and where it cannot be told.
    private(set) var foreign: Int?

    init(_ tokens: [GuardToken], _ mentions: [Mention], functionWords: Int) {
        for token in tokens {
            switch token.form {
            case .han: han += 1
            case .word: words += 1
            default: break
            }
        }
        var counts = [Int](repeating: 0, count: 8)
        for mention in mentions where mention.sense.kind == .foreign { counts[Int(mention.sense.member) % 8] += 1 }
        if let most = counts.max(), most > 1, most > functionWords, let language = counts.firstIndex(of: most) {
            foreign = language
        }
    }

    /// A Chinese word is about one and a half characters.
    var isChinese: Bool { han > 2 * words }
    var isLatin: Bool { words > 2 * han && words > 2 }
}
