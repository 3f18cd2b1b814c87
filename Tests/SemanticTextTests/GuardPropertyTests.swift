import Foundation
import Semantic
import TestKit
import Testing

/// What holds for any text, however strange.
@Suite struct GuardPropertyTests {
    private static let words = [
        "not", "no", "from", "to", "than", "3", "1,000", "3.10.1", "2019", "Paris", "Berlin", "五", "百分之", "不", "没", "第",
        "千克", "kg", "\"", "'", "`", "```", "--flag", "a_b", "https://x.y/z?q=1", "in", "French", "JSON", "🙂", "é",
        "\u{301}",
        "\u{0}", "\u{FFFD}", "\u{202E}", "「", "」", "《", "\n", "?", "。", "-", "/", ":", "%", "$", "１２", "Ａ", "don't",
        "'s", "点",
        "on", "off", "increase", "decrease", "summarize", "the", "a", "好不好", "把", "翻译成", "half", "twenty", "one",
        "hundred",
    ]

    private func text(_ random: inout SeededRandom) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            if Int.random(in: 0..<3, using: &random) == 0 {
                // Any scalar but the surrogates, which the initialiser refuses.
                let value = UInt32.random(in: 0...0x10FFFF, using: &random)
                if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
            } else {
                text += Self.words[Int.random(in: 0..<Self.words.count, using: &random)]
            }
            if Bool.random(using: &random) { text += " " }
        }
        return text
    }

    @Test(arguments: Seeds.all(rounds: 300)) func nothingSpeaksAgainstTheSameText(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let text = text(&random)
        let report = Guards.compare(text, text)
        #expect(report.objections == [], "seed \(seed): \(text.debugDescription)")
        #expect(report.difference.isEmpty, "seed \(seed)")
        #expect(report.signals[.contentOverlap] == 1, "seed \(seed)")
    }

    @Test(arguments: Seeds.all(rounds: 300)) func bothWaysAroundTheVerdictIsTheSame(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let (first, second) = (text(&random), text(&random))
        let there = Guards.compare(first, second)
        let back = Guards.compare(second, first)
        #expect(
            there.objections.isEmpty == back.objections.isEmpty,
            "seed \(seed): \(first.debugDescription) \(second.debugDescription) \(there.objections) \(back.objections)")
    }

    @Test(arguments: Seeds.all(rounds: 300)) func differencesAndSignalsStayInTheirBounds(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let (first, second) = (text(&random), text(&random))
        let report = Guards.compare(first, second)
        for value in report.signals.values { #expect(value >= 0 && value <= 5, "seed \(seed)") }
        for place in report.difference {
            #expect(place.new.upperBound <= first.unicodeScalars.count, "seed \(seed)")
            #expect(place.old.upperBound <= second.unicodeScalars.count, "seed \(seed)")
        }
    }

    /// Work is counted, not timed: twice the text costs about twice the steps, whatever it says.
    @Test(arguments: ["a b ", "x1 x2 ", "not ", "'a ", "从a到b", "1 2 3 ", "- ", "ab cd ef gh. "])
    func hostileTextsCostNoMoreThanTheirLength(_ piece: String) {
        func steps(_ count: Int) -> Int {
            let tail = String(repeating: "q w e ", count: count)
            return Guards.steps(
                String(repeating: piece, count: count) + tail, tail + String(repeating: piece, count: count))
        }
        let (small, large) = (steps(150), steps(1200))
        #expect(large <= 12 * small + 200_000, "\(small) \(large)")
    }
}

/// Seeds of a property test; `REFRAIN_SEED=n` replays the one that a failure names, `REFRAIN_ROUNDS=n` tries that many.
enum Seeds {
    static func all(rounds: UInt64) -> [UInt64] {
        if let seed = number("REFRAIN_SEED") { return [seed] }
        return Array(1...max(1, number("REFRAIN_ROUNDS") ?? rounds))
    }

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }
}
