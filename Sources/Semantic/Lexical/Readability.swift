/// The scripts and the languages that an encoder was made for, told by its vocabulary.
package struct ScriptCoverage: Sendable, Equatable {
    package let scripts: Set<Script>
    /// Of `LanguageLists`, by position.
    let languages: Set<Int>

    /// Tokens of a script that say the encoder reads it. English BERT has 27,000 Latin ones, 488 Chinese and 86
    /// Cyrillic, which are single characters that it met by chance; Chinese BERT has more than 7,000 of its own.
    static let fewestTokens = 1000

    /// Share of a language's common words that are whole tokens. English BERT has 0.4 of the German ones.
    static let leastWords = 0.7

    package init(_ vocabulary: some Sequence<String>) {
        let lists = LanguageLists.shared
        var counts: [Script: Int] = [:]
        var words = [Int](repeating: 0, count: lists.sizes.count)
        for token in vocabulary {
            if let script = token.unicodeScalars.lazy.compactMap(Script.init).first { counts[script, default: 0] += 1 }
            for language in lists.bare[token] ?? [] { words[language] += 1 }
        }
        scripts = Set(counts.filter { $0.value >= ScriptCoverage.fewestTokens }.keys)
        languages = Set(
            words.indices.filter { Double(words[$0]) >= ScriptCoverage.leastWords * Double(max(lists.sizes[$0], 1)) })
    }
}

/// Whether an encoder can tell a text from others, or has to leave it to the comparison of its characters.
package enum Readability: String, Sendable, CaseIterable {
    case readable
    /// Too much of it is not in the vocabulary: other texts have the same tokens.
    case unknownTokens = "unknown-tokens"
    /// Too much of it is in a script that the encoder does not know.
    case unknownScript = "unknown-script"
    /// It is written in a language whose commonest words the vocabulary does not have.
    case unknownLanguage = "unknown-language"

    package var word: String { rawValue }

    /// A share of tokens, or of letters, above which a text is not left to the encoder: a name or a sign in an English
    /// sentence is fine.
    package static let mostUnknown = 0.1

    package init(of text: String, _ tokens: TokenizedText, by coverage: ScriptCoverage) {
        var letters = 0
        var strange = 0
        for script in text.unicodeScalars.lazy.compactMap(Script.init) {
            letters += 1
            if !coverage.scripts.contains(script) { strange += 1 }
        }
        if tokens.unknownShare > Readability.mostUnknown {
            self = .unknownTokens
        } else if Double(strange) > Readability.mostUnknown * Double(letters) {
            self = .unknownScript
        } else if LanguageShare(text).isStrange(to: coverage) {
            self = .unknownLanguage
        } else {
            self = .readable
        }
    }
}
