import Core
import TestKit
import Testing

@testable import Engine

private let second = Duration64.nanosecondsPerSecond

@Suite struct RetryBudgetTests {
    @Test func aShareOfTheRequestsAndALittleMore() {
        var budget = RetryBudget(ratio: 0.2, perSecond: 0.1)
        #expect(budget.takeRetry(now: 0) && !budget.takeRetry(now: 0))
        for _ in 0..<10 { budget.noteRequest(now: second) }
        #expect(budget.takeRetry(now: second) && budget.takeRetry(now: second) && !budget.takeRetry(now: second))
    }

    @Test func itIsForgottenAfterTenSeconds() {
        var budget = RetryBudget(ratio: 0.5, perSecond: 0)
        for _ in 0..<10 { budget.noteRequest(now: 0) }
        #expect(budget.takeRetry(now: 9 * second) == true)
        #expect(budget.takeRetry(now: 10 * second) == false)
        #expect(budget.takeRetry(now: 1_000_000 * second) == false)
    }

    @Test func newRulesKeepTheCounts() {
        var budget = RetryBudget(ratio: 0.5, perSecond: 0)
        for _ in 0..<10 { budget.noteRequest(now: 0) }
        var changed = RetryBudget(ratio: 0.1, perSecond: 0, from: budget)
        #expect(changed.takeRetry(now: 0) && !changed.takeRetry(now: 0))
    }

    /// Whatever is asked, and however it is spread: a storm of retries cannot be had.
    @Test(arguments: 0..<20 as Range<UInt64>) func noStorm(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let ratio = Double(Int.random(in: 0...10, using: &random)) / 10
        let perSecond = Double(Int.random(in: 0...20, using: &random)) / 10
        var budget = RetryBudget(ratio: ratio, perSecond: perSecond)
        var now: Int64 = 0
        var events: [(second: Int64, isRetry: Bool)] = []
        for _ in 0..<3000 {
            if Int.random(in: 0..<10, using: &random) == 0 { now += Int64.random(in: 0...(3 * second), using: &random) }
            if Int.random(in: 0..<4, using: &random) == 0 {
                budget.noteRequest(now: now)
                events.append((now / second, false))
            } else if budget.takeRetry(now: now) {
                events.append((now / second, true))
            }
        }
        for (index, event) in events.enumerated() where event.isRetry {
            let last = events[...index].reversed().prefix { $0.second > event.second - 10 }
            let retries = last.count { $0.isRetry }
            let allowed = ratio * Double(last.count - retries) + perSecond * 10
            #expect(Double(retries) <= allowed + 1e-9, "seed \(seed), second \(event.second)")
        }
        #expect(events.contains { $0.isRetry } || ratio + perSecond == 0, "seed \(seed)")
    }
}
