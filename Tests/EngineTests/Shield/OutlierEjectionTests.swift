import Core
import TestKit
import Testing

@testable import Engine

private let second = Duration64.nanosecondsPerSecond
private let millisecond = Duration64.nanosecondsPerMillisecond

@Suite struct OutlierEjectionTests {
    private func outliers(_ count: Int) -> OutlierEjection {
        var outliers = OutlierEjection(now: 0)
        for index in 0..<count { outliers.set(member: true, at: index) }
        return outliers
    }

    /// A window in which `failures` of 20 attempts of each fail, and heads take so long.
    private func fill(_ outliers: inout OutlierEjection, failures: [Int], latencies: [Int64] = [100, 100, 100, 100]) {
        for (index, failed) in failures.enumerated() {
            for attempt in 0..<20 {
                let isFailure = attempt < failed
                outliers.record(
                    index, isFailure: isFailure, latency: isFailure ? nil : latencies[index] * millisecond)
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let failures: [Int]
        let ejected: [Int]
    }

    static let cases = [
        Case(testDescription: "nobody fails", failures: [0, 0, 0], ejected: []),
        Case(testDescription: "one fails a little", failures: [3, 0, 0], ejected: []),
        Case(testDescription: "one fails a lot", failures: [0, 8, 0], ejected: [1]),
        Case(testDescription: "all fail a lot", failures: [12, 12, 12], ejected: []),
        Case(testDescription: "the worst of two, for half of three is one", failures: [12, 0, 19], ejected: [2]),
        Case(testDescription: "half of four", failures: [20, 20, 0, 0], ejected: [0, 1]),
        Case(testDescription: "one alone", failures: [20], ejected: []),
        Case(testDescription: "one of two", failures: [20, 0], ejected: [0]),
    ]

    @Test(arguments: cases) func failures(_ play: Case) {
        var outliers = outliers(play.failures.count)
        fill(&outliers, failures: play.failures)
        #expect(outliers.look(now: 10 * second - 1).isEmpty)
        let found = outliers.look(now: 10 * second)
        #expect(found.map(\.index).sorted() == play.ejected && found.allSatisfy { $0.reason == .failures })
        for index in play.failures.indices { #expect(outliers.isEjected(index) == play.ejected.contains(index)) }
    }

    @Test func eachTimeForTwiceAsLong() {
        var outliers = outliers(2)
        var now: Int64 = 0
        var pauses: [Int64] = []
        for _ in 0..<6 {
            now += 10 * second
            fill(&outliers, failures: [20, 0])
            guard let found = outliers.look(now: now).first else { continue }
            pauses.append(found.pause / second)
            now += found.pause
            #expect(outliers.nextReturn == now && outliers.returned(now: now - 1) == nil)
            #expect(outliers.returned(now: now) == 0 && outliers.returned(now: now) == nil)
        }
        #expect(pauses == [30, 60, 120, 240, 300, 300])
    }

    @Test func slowAgainstItself() {
        var outliers = outliers(3)
        var now: Int64 = 0
        for _ in 0..<10 {
            now += 10 * second
            // The second is a larger model: slower all the time, and nobody minds.
            fill(&outliers, failures: [0, 0, 0], latencies: [100, 900, 100])
            #expect(outliers.look(now: now).isEmpty)
        }
        now += 10 * second
        fill(&outliers, failures: [0, 0, 0], latencies: [100, 900, 1000])
        #expect(outliers.look(now: now).map(\.index) == [2])
    }

    @Test func whenAllAreSlowNobodyIsToBlame() {
        var outliers = outliers(2)
        fill(&outliers, failures: [0, 0])
        _ = outliers.look(now: 10 * second)
        fill(&outliers, failures: [0, 0], latencies: [1000, 1000])
        #expect(outliers.look(now: 20 * second).isEmpty)
    }

    @Test func littleTrafficProvesNothing() {
        var outliers = outliers(2)
        for _ in 0..<9 { outliers.record(0, isFailure: true, latency: nil) }
        for _ in 0..<50 { outliers.record(1, isFailure: false, latency: nil) }
        #expect(outliers.look(now: 10 * second).isEmpty)
        // The window goes on for the one that had too few.
        outliers.record(0, isFailure: true, latency: nil)
        for _ in 0..<50 { outliers.record(1, isFailure: false, latency: nil) }
        #expect(outliers.look(now: 20 * second).map(\.index) == [0])
    }

    /// Never more than half of them are left alone, whatever they do.
    @Test(arguments: 0..<20 as Range<UInt64>) func neverMoreThanHalf(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let count = Int.random(in: 1...7, using: &random)
        var outliers = outliers(count)
        for step in 1..<200 {
            let failures = (0..<count).map { _ in
                Bool.random(using: &random) ? 0 : Int.random(in: 0...20, using: &random)
            }
            fill(
                &outliers, failures: failures,
                latencies: failures.map { _ in Int64.random(in: 50...2000, using: &random) })
            let now = Int64(step) * 10 * second
            while outliers.returned(now: now) != nil {}
            _ = outliers.look(now: now)
            #expect((0..<count).count { outliers.isEjected($0) } * 2 <= count, "seed \(seed), step \(step)")
        }
    }
}
