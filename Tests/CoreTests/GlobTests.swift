import Core
import TestKit
import Testing

@Suite struct GlobTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", true), ("*", "anything", true), ("a", "a", true), ("a", "A", false),
        ("a*", "a", true), ("a*", "abc", true), ("a*", "ba", false), ("*c", "abc", true), ("*c", "ab", false),
        ("a*c", "ac", true), ("a*c", "abcbc", true), ("a*c", "abcb", false), ("*b*", "abc", true),
        ("**", "", true), ("a**b", "ab", true), ("gpt-4o*", "gpt-4o-mini", true), ("gpt-4o*", "gpt-4", false),
        ("*ab*ab*", "abab", true), ("*ab*ab*", "abb", false), ("?", "a", false), ("*.json", "a.json.json", true),
    ])
    func table(pattern: String, text: String, matches: Bool) { #expect(Glob(pattern).matches(text) == matches) }

    /// The definition, word for word.
    private func plain(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" {
            return plain(pattern.dropFirst(), text) || !text.isEmpty && plain(pattern, text.dropFirst())
        }
        return text.first == first && plain(pattern.dropFirst(), text.dropFirst())
    }

    @Test("as the definition says, drawn from a seed", arguments: 0..<20) func property(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            func draw(_ letters: String, _ most: Int) -> String {
                String(
                    (0..<Int.random(in: 0...most, using: &random)).compactMap { _ in
                        letters.randomElement(using: &random)
                    })
            }
            let (pattern, text) = (draw("ab*", 7), draw("ab", 9))
            #expect(Glob(pattern).matches(text) == plain(pattern[...], text[...]), "seed \(seed) \(pattern) \(text)")
        }
    }
}
