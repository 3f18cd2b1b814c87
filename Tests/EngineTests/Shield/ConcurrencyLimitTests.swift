import Core
import TestKit
import Testing

@testable import Engine

private let millisecond = Duration64.nanosecondsPerMillisecond

@Suite struct ConcurrencyLimitTests {
    @Test func aFixedOneIsNotMoved() {
        var limit = ConcurrencyLimit(.fixed(7))
        for _ in 0..<1000 { limit.answered(latency: 1_000 * millisecond, inFlight: 7) }
        limit.dropped(start: 0, now: 1)
        #expect(limit.current == 7)
        limit.change(.fixed(0))
        #expect(limit.current == 1)
    }

    @Test func itGrowsWhileTheLatencyStays() {
        var limit = ConcurrencyLimit(.adaptive(min: 1, max: 50))
        #expect(limit.current == 4)
        for _ in 0..<5000 { limit.answered(latency: 200 * millisecond, inFlight: limit.current) }
        #expect(limit.current == 50)
    }

    @Test func emptySlotsTeachNothing() {
        var limit = ConcurrencyLimit(.adaptive(min: 1, max: 50))
        for _ in 0..<5000 { limit.answered(latency: 200 * millisecond, inFlight: 1) }
        #expect(limit.current == 4)
    }

    @Test func refusalsShrinkItOnceEach() {
        var limit = ConcurrencyLimit(.adaptive(min: 10, max: 50))
        for _ in 0..<5000 { limit.answered(latency: 200 * millisecond, inFlight: limit.current) }
        limit.dropped(start: 0, now: 10)
        limit.dropped(start: 5, now: 11)
        #expect(limit.current == 45)
        for time in 0..<100 { limit.dropped(start: Int64(20 + time), now: Int64(20 + time)) }
        #expect(limit.current == 10)
    }

    @Test func aServerThatIsSlowerFromNowOnIsTheNewUsual() {
        var limit = ConcurrencyLimit(.adaptive(min: 1, max: 50))
        for _ in 0..<5000 { limit.answered(latency: 200 * millisecond, inFlight: limit.current) }
        var lowest = 50
        for _ in 0..<20_000 {
            limit.answered(latency: 2000 * millisecond, inFlight: limit.current)
            lowest = min(lowest, limit.current)
        }
        #expect(lowest <= 4 && limit.current == 50)
    }

    /// Before a server that computes some at a time, the others waiting in line, it settles where the line is short.
    @Test(arguments: [4, 10, 30]) func itFindsTheRoomOfAServer(_ slots: Int) {
        var limit = ConcurrencyLimit(.adaptive(min: 1, max: 200))
        var random = SeededRandom(seed: 3)
        var highest = 0
        for round in 0..<20_000 {
            let inFlight = limit.current
            let base = Double(Int.random(in: 500...1500, using: &random))
            let latency = base * max(1, Double(inFlight) / Double(slots))
            limit.answered(latency: Int64(latency) * millisecond, inFlight: inFlight)
            if round > 2000 { highest = max(highest, limit.current) }
        }
        #expect(limit.current >= slots / 2 && highest <= 4 * slots + 8, "\(slots) slots: \(limit.current), \(highest)")
    }
}

@Suite struct LatencyQuantileTests {
    @Test func littleIsNothing() {
        var latency = LatencyQuantile()
        for _ in 0..<19 { latency.record(millisecond) }
        #expect(latency.value(0.95) == nil)
        latency.record(millisecond)
        #expect(latency.value(0.95) != nil)
    }

    @Test(arguments: 0..<10 as Range<UInt64>) func withinATenth(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var latency = LatencyQuantile()
        var all: [Int64] = []
        for _ in 0..<900 {
            let drawn = Int64.random(in: 2...60_000, using: &random) * millisecond
            latency.record(drawn)
            all.append(drawn)
        }
        all.sort()
        for quantile in [0.5, 0.95, 0.99] {
            let right = Double(all[Int((900 * quantile).rounded(.up)) - 1])
            let found = Double(try #require(latency.value(quantile)))
            #expect(found >= right && found <= right * 1.13, "seed \(seed), \(quantile): \(found) for \(right)")
        }
    }

    @Test func whatWasLongAgoWeighsLittle() throws {
        var latency = LatencyQuantile()
        for _ in 0..<5000 { latency.record(10_000 * millisecond) }
        for _ in 0..<20_000 { latency.record(100 * millisecond) }
        #expect(try #require(latency.value(0.95)) < 120 * millisecond)
    }

    @Test func theEndsAreKept() {
        var latency = LatencyQuantile()
        for time in [Int64.min, -1, 0, 1, Int64.max] { for _ in 0..<10 { latency.record(time) } }
        #expect(latency.value(0.5) != nil && latency.value(1) != nil)
    }
}
