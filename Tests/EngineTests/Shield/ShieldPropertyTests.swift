import Core
import FoundationEssentials
import TestKit
import Testing
import Tiers

@testable import Engine

/// `REFRAIN_SEED=n` replays one walk, `REFRAIN_ROUNDS=n` makes that many.
@Suite struct ShieldPropertyTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test("every ticket ends once, no slot is lost, no limit is passed") func walks() {
        var ends = [0, 0, 0]
        let seeds = Self.number("REFRAIN_SEED").map { $0..<($0 + 1) } ?? 0..<(Self.number("REFRAIN_ROUNDS") ?? 60)
        for seed in seeds {
            let walk = ShieldWalk(seed: seed)
            walk.run(steps: 400)
            for wrong in walk.wrongs { Issue.record("\(wrong)") }
            if !walk.wrongs.isEmpty { return }
            for index in ends.indices { ends[index] += walk.ends[index] }
        }
        // A walk on which nothing is shed, or nothing answered, would prove nothing.
        #expect(ends.allSatisfy { $0 > 0 })
    }

    /// Every request to a dead upstream fails after ten seconds. Once that is known, no more than one is spent on it in
    /// a pause of its breaker.
    @Test func aDeadUpstreamCostsOneRequestAPause() {
        var play = ShieldPlay(.of(50, 50))
        var spent: [Int64] = []
        var stuck: [(ticket: UInt64, until: Int64)] = []
        var openedAt: Int64?
        for ticket in 1...6000 as ClosedRange<UInt64> {
            play.pass(100)
            for over in stuck where over.until <= play.now {
                _ = play.end(over.ticket, 0, .failed)
                _ = play.abandon(over.ticket)
            }
            stuck.removeAll { $0.until <= play.now }
            if play.arrive(ticket).hasSuffix("0") {
                stuck.append((ticket, play.now + 10 * ShieldPlay.second))
                if openedAt != nil { spent.append(play.now) }
            } else {
                _ = play.answer(ticket, 1)
                _ = play.end(ticket, 1)
            }
            if openedAt == nil, play.state.report().upstreams[0].breaker == .open { openedAt = play.now }
        }
        for (earlier, later) in zip(spent, spent.dropFirst()) {
            #expect(later - earlier >= play.state.plan.breaker.pause)
        }
        // Nearly ten minutes in pauses that soon are fifteen seconds long.
        #expect(openedAt != nil && spent.count > 5 && spent.count < 50, "\(spent.count) requests")
    }

    /// The weights hold in the whole as they do in the choice.
    @Test func weightsAreHonoured() {
        var play = ShieldPlay(.of(99, 99, 99, weights: [5, 3, 2]))
        var counts = [0, 0, 0]
        for ticket in 1...10_000 as ClosedRange<UInt64> {
            let steps = play.state.arrive(UpstreamDemand(), ticket: ticket, now: play.now)
            for start in steps.starts {
                counts[start.upstream] += 1
                _ = play.answer(ticket, start.upstream)
                _ = play.end(ticket, start.upstream)
            }
        }
        for (count, due) in zip(counts, [5000, 3000, 2000]) { #expect(abs(count - due) <= due / 100, "\(counts)") }
    }

    /// One upstream that is always full of the urgent: the others still get their share of it.
    @Test func nobodyStarvesBehindTheUrgent() {
        var play = ShieldPlay(.of(1) { $0.patience = 300 * ShieldPlay.second })
        var served = [0, 0, 0]
        var classes: [UInt64: Priority] = [:]
        var running: UInt64 = 0
        var ticket: UInt64 = 0
        func note(_ words: String) {
            for word in words.split(separator: " ") where word.contains(">") {
                running = UInt64(word.prefix { $0 != ">" }) ?? 0
                served[classes[running]?.rawValue ?? 0] += 1
            }
        }
        for step in 0..<3000 {
            for priority in Priority.allCases where priority == .interactive || step.isMultiple(of: 10) {
                ticket += 1
                classes[ticket] = priority
                note(play.arrive(ticket, priority))
            }
            play.pass(100)
            note(play.end(running, 0))
        }
        #expect(served[2] > 100 && served[1] > 200 && served[0] > 2300, "\(served)")
    }

    @Test func theSameSeedGivesTheSame() {
        func run() -> [Int64] {
            var play = ShieldPlay(.of(1) { $0.queue = 0 })
            _ = play.arrive(1)
            return (2...50).flatMap { ticket in
                play.state.arrive(UpstreamDemand(), ticket: ticket, now: 0).sheds.map(\.retryAfter)
            }
        }
        #expect(run() == run() && Set(run()).count > 40)
    }
}
