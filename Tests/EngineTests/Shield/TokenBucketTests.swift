import Core
import TestKit
import Testing

@testable import Engine

private let second = Duration64.nanosecondsPerSecond

@Suite struct TokenBucketTests {
    @Test func startsFullAndRefills() {
        var bucket = TokenBucket(rate: 10, burst: 0.5, now: 0)
        for _ in 0..<5 {
            #expect(bucket.isReady(for: 1, now: 0))
            bucket.take(1, now: 0)
        }
        #expect(!bucket.isReady(for: 1, now: 0))
        #expect(bucket.readyAt(for: 1, now: 0) == second / 10)
        #expect(bucket.isReady(for: 1, now: second / 10))
        #expect(bucket.level(at: 100 * second) == 5)
    }

    @Test func whatIsLargerThanTheBucketPassesWhenItIsFull() {
        var bucket = TokenBucket(rate: 10, burst: 1, now: 0)
        #expect(bucket.isReady(for: 100, now: 0))
        bucket.take(100, now: 0)
        #expect(bucket.readyAt(for: 1, now: 0) == 9 * second + second / 10)
        #expect(bucket.readyAt(for: 100, now: 0) == 10 * second)
    }

    @Test func correctionsWorkBothWays() {
        var bucket = TokenBucket(rate: 10, burst: 1, now: 0)
        bucket.take(10, now: 0)
        bucket.give(4)
        #expect(bucket.level(at: 0) == 4)
        bucket.give(-9)
        #expect(bucket.level(at: 0) == -5)
        bucket.give(1000)
        #expect(bucket.level(at: 0) == 10)
        bucket.lower(to: 3, now: 0)
        bucket.lower(to: 7, now: 0)
        #expect(bucket.level(at: 0) == 3)
    }

    /// In any span it gives no more than rate and capacity allow, and what is asked for when it says is there.
    @Test(arguments: 0..<20 as Range<UInt64>) func keepsToItsRate(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let rate = Double(Int.random(in: 1...2000, using: &random)) / 10
        var bucket = TokenBucket(rate: rate, burst: 0.05, now: 0)
        var taken: [Int64] = []
        var now: Int64 = 0
        while taken.count < 400 {
            if Bool.random(using: &random) {
                now = bucket.readyAt(for: 1, now: now)
                #expect(bucket.isReady(for: 1, now: now), "seed \(seed): not ready when it said")
            } else {
                now += Int64.random(in: 0...(second / 5), using: &random)
            }
            guard bucket.isReady(for: 1, now: now) else { continue }
            bucket.take(1, now: now)
            taken.append(now)
        }
        for (index, start) in taken.enumerated() {
            for last in [index + 10, index + 100, taken.count - 1] where last > index && last < taken.count {
                let span = Double(taken[last] - start) / Double(second)
                #expect(Double(last - index + 1) <= rate * span + bucket.capacity + 0.001, "seed \(seed)")
            }
        }
    }
}

@Suite struct AdaptivePaceTests {
    private static func pace(_ requests: Double?, _ tokens: Double? = nil) -> AdaptivePace {
        AdaptivePace(requestsPerSecond: requests, tokensPerMinute: tokens, now: 0)
    }

    @Test func aRefusalTakesThreeTenthsAndTimeBringsThemBack() throws {
        var pace = Self.pace(100)
        #expect(pace.refused(start: 0, now: second) == 70)
        // Of a call that began before: an echo.
        #expect(pace.refused(start: second / 2, now: second) == nil)
        _ = pace.refused(start: second, now: second + 1)
        #expect(abs(try #require(pace.requestsPerSecond) - 49) < 0.01)
        pace.take(tokens: 0, now: 3 * second)
        #expect(abs(try #require(pace.requestsPerSecond) - 59) < 0.01)
        pace.take(tokens: 0, now: 60 * second)
        #expect(pace.requestsPerSecond == 100)
    }

    @Test func refusalsWithoutEndLeaveALittle() throws {
        var pace = Self.pace(100)
        for step in 0..<100 { _ = pace.refused(start: Int64(step), now: Int64(step)) }
        #expect(try #require(pace.requestsPerSecond) == 5)
        var slow = Self.pace(0.1)
        for step in 0..<100 { _ = slow.refused(start: Int64(step), now: Int64(step)) }
        #expect(try #require(slow.requestsPerSecond) == 0.1)
    }

    @Test func withoutALimitTheFirstRefusalFindsOneThatWearsOff() throws {
        var pace = Self.pace(nil)
        for step in 0..<100 { pace.take(tokens: 0, now: Int64(step) * second / 10) }
        #expect(pace.requestsPerSecond == nil)
        // The first of many calls hardly matters, the last ones of half of them do.
        for _ in 0..<30 { _ = pace.refused(start: 9 * second, now: 10 * second) }
        let refused = pace.refused(start: 10 * second, now: 10 * second)
        let rate = try #require(refused)
        #expect(abs(rate - 7) < 0.3)
        pace.take(tokens: 0, now: 20 * second)
        #expect(abs(try #require(pace.requestsPerSecond) - rate * 12 / 7) < 0.1)
        pace.take(tokens: 0, now: 60 * second)
        #expect(pace.requestsPerSecond == nil)
    }

    /// Sixty requests a second for five minutes, of which `takes` says whether one is taken; attempts and refusals a second.
    private static func play(_ planned: Double?, takes: (Int64) -> Bool) -> (attempts: Double, refusals: Double) {
        var pace = pace(planned)
        var (attempts, refusals) = (0, 0)
        for tick in 0..<(60 * 300) as Range<Int64> {
            let now = tick * second / 60
            guard pace.isReady(tokens: 0, now: now) else { continue }
            pace.take(tokens: 0, now: now)
            attempts += 1
            guard !takes(now) else { continue }
            refusals += 1
            _ = pace.refused(start: now, now: now)
        }
        return (Double(attempts) / 300, Double(refusals) / 300)
    }

    @Test("refusals that have nothing to do with the rate do not bring it down", arguments: [0.005, 0.01, 0.02])
    func noise(_ share: Double) {
        for planned in [nil, 60] as [Double?] {
            var random = SeededRandom(seed: 1)
            let seen = Self.play(planned) { _ in Double.random(in: 0..<1, using: &random) >= share }
            #expect(seen.attempts > 45, "\(planned ?? 0)")
        }
    }

    @Test("a server that takes fewer is soon asked for hardly more", arguments: [10, 20, 40] as [Double])
    func overload(_ room: Double) {
        for planned in [nil, 60] as [Double?] {
            var server = TokenBucket(rate: room, burst: 0.1, now: 0)
            let seen = Self.play(planned) { now in
                guard server.isReady(for: 1, now: now) else { return false }
                server.take(1, now: now)
                return true
            }
            #expect(seen.attempts - seen.refusals > 0.8 * room, "\(planned ?? 0)")
            #expect(seen.refusals < 0.2 * seen.attempts, "\(planned ?? 0): \(seen)")
        }
    }

    @Test func pausesAndTokens() {
        var pace = Self.pace(nil, 6000)
        #expect(pace.isReady(tokens: 300, now: 0))
        pace.take(tokens: 300, now: 0)
        #expect(!pace.isReady(tokens: 100, now: 0) && pace.readyAt(tokens: 100, now: 0) == second)
        pace.give(tokens: 100)
        #expect(pace.isReady(tokens: 100, now: 0))
        pace.heard(remainingTokens: 0, now: 0)
        #expect(!pace.isReady(tokens: 100, now: 0))
        pace.pause(until: 5 * second)
        pace.pause(until: 3 * second)
        #expect(!pace.isReady(tokens: 1, now: 4 * second) && pace.isReady(tokens: 1, now: 5 * second))
    }

    /// In no minute more than 5 % above the limit, but for one request that is larger than that.
    @Test(arguments: 0..<10 as Range<UInt64>) func tokensKeepToTheirMinute(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let limit = Double(Int.random(in: 1...100, using: &random)) * 1000
        let largest = Int(limit / Double(Int.random(in: 2...100, using: &random)))
        var pace = Self.pace(nil, limit)
        var taken: [(time: Int64, tokens: Int)] = []
        var now: Int64 = 0
        for _ in 0..<500 {
            let tokens = Int.random(in: 0...largest, using: &random)
            now = max(now, pace.readyAt(tokens: tokens, now: now))
            pace.take(tokens: tokens, now: now)
            taken.append((now, tokens))
            // An estimate that was too high gives room again, and what is given back was not used.
            if Int.random(in: 0..<3, using: &random) == 0, let last = taken.indices.last {
                let unused = tokens / 2
                pace.give(tokens: unused)
                taken[last].tokens -= unused
            }
        }
        for (index, first) in taken.enumerated() {
            let minute = taken[index...].prefix { $0.time < first.time + 60 * second }
            let sum = Double(minute.reduce(0) { $0 + $1.tokens })
            #expect(sum <= max(1.05 * limit, limit + Double(largest)) + 1, "seed \(seed): \(sum) of \(limit)")
        }
    }

    @Test func aReloadChangesTheRateAndNothingElse() {
        var pace = Self.pace(10)
        pace.take(tokens: 0, now: 0)
        pace.change(requestsPerSecond: 10, tokensPerMinute: 60, now: 0)
        #expect(!pace.isReady(tokens: 0, now: 0))
        pace.change(requestsPerSecond: nil, tokensPerMinute: nil, now: 0)
        #expect(pace.isReady(tokens: 1_000_000, now: 0) && pace.requestsPerSecond == nil)
    }
}
