import Core
import TestKit
import Testing

@testable import Tiers

@Suite struct BreakerTests {
    static let options: Breaker.Options = {
        var options = Breaker.Options()
        options.failureLimit = 3
        options.pause = 100
        options.longestPause = 350
        return options
    }()

    /// What happens at one moment: a call that ends at once, or one that is turned away.
    enum Step {
        case succeeds, fails, turnedAway
    }

    struct Play: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [(time: Int64, step: Step, state: BreakerState)]
        init(_ name: String, _ steps: [(Int64, Step, BreakerState)]) {
            testDescription = name
            self.steps = steps.map { (time: $0.0, step: $0.1, state: $0.2) }
        }
    }

    static let plays: [Play] = [
        Play("failures in a row open it", [(0, .fails, .closed), (1, .fails, .closed), (2, .fails, .open)]),
        Play(
            "a success in between starts the count again",
            [
                (0, .fails, .closed), (1, .fails, .closed), (2, .succeeds, .closed), (3, .fails, .closed),
                (4, .fails, .closed), (5, .fails, .open),
            ]),
        Play(
            "nobody passes during the pause, one behind it",
            [
                (0, .fails, .closed), (0, .fails, .closed), (0, .fails, .open), (1, .turnedAway, .open),
                (99, .turnedAway, .open), (100, .succeeds, .closed), (100, .succeeds, .closed),
            ]),
        Play(
            "pauses double up to the longest, and are short again after a success",
            [
                (0, .fails, .closed), (0, .fails, .closed), (0, .fails, .open), (100, .fails, .open),
                (299, .turnedAway, .open), (300, .fails, .open), (649, .turnedAway, .open), (650, .fails, .open),
                (999, .turnedAway, .open), (1000, .succeeds, .closed), (1000, .fails, .closed), (1000, .fails, .closed),
                (1000, .fails, .open), (1099, .turnedAway, .open), (1100, .succeeds, .closed),
            ]),
    ]

    @Test(arguments: BreakerTests.plays) func follows(_ play: Play) {
        var breaker = Breaker(Self.options)
        for (time, step, state) in play.steps {
            let (permit, _) = breaker.admit(now: time)
            #expect((permit == nil) == (step == .turnedAway), "at \(time)")
            switch (permit, step) {
            case (let permit?, .succeeds): _ = breaker.succeeded(permit)
            case (let permit?, .fails): _ = breaker.failed(permit, now: time)
            default: break
            }
            #expect(breaker.state == state, "at \(time)")
        }
    }

    private func opened() -> Breaker {
        var breaker = Breaker(Self.options)
        for _ in 0..<3 {
            if let permit = breaker.admit(now: 0).permit { _ = breaker.failed(permit, now: 0) }
        }
        return breaker
    }

    @Test func onlyOneLooks() throws {
        var breaker = opened()
        let look = breaker.admit(now: 100)
        #expect(look.change == Breaker.Change(from: .open, to: .halfOpen))
        #expect(breaker.admit(now: 150).permit == nil)
        #expect(breaker.succeeded(try #require(look.permit)) == Breaker.Change(from: .halfOpen, to: .closed))
    }

    @Test func oneThatNeverComesBackIsFollowedByAnother() throws {
        var breaker = opened()
        let first = try #require(breaker.admit(now: 100).permit)
        let second = breaker.admit(now: 200)
        #expect(second.permit != nil && second.change == nil)
        // The first is no longer the one that decides.
        #expect(breaker.failed(first, now: 201) == nil)
        #expect(breaker.state == .halfOpen)
        #expect(breaker.succeeded(try #require(second.permit)) != nil)
    }

    @Test func oneThatNeverComesBackCountsAsFailed() {
        var breaker = opened()
        #expect(breaker.admit(now: 100).permit != nil && breaker.looksAt == 200)
        #expect(breaker.admit(now: 200).permit != nil && breaker.looksAt == 400)
        #expect(!breaker.wouldAdmit(now: 399) && breaker.wouldAdmit(now: 400))
        #expect(breaker.admit(now: 400).permit != nil && breaker.looksAt == 750)
    }

    @Test func whatBeganBeforeAChangeDoesNotCount() throws {
        var breaker = Breaker(Self.options)
        let early = try #require(breaker.admit(now: 0).permit)
        breaker = opened()
        #expect(breaker.succeeded(early) == nil && breaker.state == .open)
        #expect(breaker.failed(early, now: 50) == nil)
        #expect(breaker.admit(now: 100).permit != nil)
    }

    /// Against any sequence: it never turns a call away while it is closed, changes only along its edges, and is never
    /// stuck once its pauses are over.
    @Test(arguments: 0..<20 as Range<UInt64>) func holdsItsPromises(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var breaker = Breaker(Self.options)
        var permits: [Breaker.Permit] = []
        var now: Int64 = 0
        var state = breaker.state
        func check(_ change: Breaker.Change?) {
            #expect((change?.from ?? state) == state)
            state = change?.to ?? state
            #expect(state == breaker.state)
        }
        for _ in 0..<3000 {
            now += Int64(random.next() % 60)
            if random.next() % 2 == 0 || permits.isEmpty {
                let wasClosed = breaker.state == .closed
                let (permit, change) = breaker.admit(now: now)
                #expect(permit != nil || !wasClosed)
                if let permit { permits.append(permit) }
                check(change)
            } else {
                let permit = permits.remove(at: Int(random.next() % UInt64(permits.count)))
                check(random.next() % 4 == 0 ? breaker.succeeded(permit) : breaker.failed(permit, now: now))
            }
        }
        #expect(breaker.admit(now: now + Self.options.longestPause).permit != nil)
    }

    @Test func eachChangeIsOneLine() {
        let clock = ManualClock()
        let log = RecordingLog()
        let breaker = SharedBreaker(target: "redis", clock: clock, log: log)
        for _ in 0..<50 {
            if let permit = breaker.admit() { breaker.failed(permit, reason: "timeout") }
        }
        clock.advance(.milliseconds(500))
        if let permit = breaker.admit() { breaker.succeeded(permit) }
        let lines = log.lines.map { line in line.fields.map(\.value).joined(separator: " ") }
        #expect(lines == ["redis closed open timeout", "redis open half-open", "redis half-open closed"])
        #expect(log.lines.map(\.level) == [.warning, .info, .info])
    }
}
