import TestKit
import Testing

@testable import Engine

@Suite struct WeightedChoiceTests {
    private func choice(_ weights: [Int]) -> WeightedChoice {
        var choice = WeightedChoice()
        for (index, weight) in weights.enumerated() { choice.set(weight: weight, at: index) }
        return choice
    }

    @Test func turnsAreEven() {
        var choice = choice([5, 1, 1])
        let all = [true, true, true]
        #expect((0..<7).map { _ in choice.choose(among: all) } == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test func onlyThoseThatMay() {
        var choice = choice([5, 1])
        #expect(choice.choose(among: [false, true]) == 1)
        #expect(choice.choose(among: [false, false]) == nil)
    }

    @Test func theLeastLoadedByTheirWeights() {
        var choice = choice([1, 1, 1])
        #expect(choice.choose(among: [true, true, true], loads: [2, 1, 3]) == 1)
        #expect(choice.choose(among: [true, false, true], loads: [2, 1, 3]) == 0)
        let tied = (0..<4).map { _ in choice.choose(among: [true, true, true], loads: [1, 2, 1]) }
        #expect(Set(tied) == [0, 2])
    }

    /// Within 1 % over 10,000 choices, and never off by more than one turn for each of the others.
    @Test(arguments: 0..<10 as Range<UInt64>) func weightsAreHonoured(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let weights = (0..<Int.random(in: 1...8, using: &random)).map { _ in Int.random(in: 1...20, using: &random) }
        var choice = choice(weights)
        let all = weights.map { _ in true }
        var counts = weights.map { _ in 0 }
        for _ in 0..<10_000 {
            if let chosen = choice.choose(among: all) { counts[chosen] += 1 }
        }
        let sum = weights.reduce(0, +)
        for (weight, count) in zip(weights, counts) {
            let due = 10_000.0 * Double(weight) / Double(sum)
            #expect(
                abs(Double(count) - due) <= max(0.01 * due, Double(weights.count)), "seed \(seed): \(weights) \(counts)"
            )
        }
    }
}
