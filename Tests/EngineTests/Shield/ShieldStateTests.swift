import Core
import TestKit
import Testing
import Tiers

@testable import Engine

@Suite struct ShieldStateTests {
    @Test func theUrgentGoFirst() {
        var play = ShieldPlay(ShieldPlan.of(1))
        #expect(play.arrive(1, .batch) == "1>0")
        #expect(play.arrive(2, .batch) == "")
        #expect(play.arrive(3, .standard) == "")
        #expect(play.arrive(4, .interactive) == "")
        #expect(play.state.report().waiting == [1, 1, 1])
        #expect(play.end(1, 0) == "4>0")
        #expect(play.end(4, 0) == "3>0")
        #expect(play.abandon(3) == "2>0")
        #expect(play.end(2, 0) == "")
        #expect(play.state.report().tickets == 0 && play.state.report().upstreams[0].inFlight == 0)
    }

    @Test func aQueueHasABoundForEachClass() {
        var play = ShieldPlay(ShieldPlan.of(1) { $0.queue = 2 })
        _ = play.arrive(1)
        #expect(play.arrive(2) == "" && play.arrive(3) == "" && play.arrive(4) == "4!queue-full")
        #expect(play.arrive(5, .interactive) == "")
    }

    @Test func whoHasWaitedForItsTimeIsShed() {
        var play = ShieldPlay(.of(1) { $0.order = .arrival })
        _ = play.arrive(1)
        #expect(play.arrive(2, patience: 500) == "" && play.arrive(3, patience: 300) == "")
        #expect(play.wake() == "3!deadline" && play.now == 300 * ShieldPlay.millisecond)
        #expect(play.wake() == "2!deadline" && play.now == 500 * ShieldPlay.millisecond)
        #expect(play.state.nextWake == nil)
    }

    @Test func inOverloadTheLatestGoFirstAndTheOldestGiveWay() {
        var play = ShieldPlay(.of(1) { $0.queue = 2 })
        for ticket in 1...3 { _ = play.arrive(UInt64(ticket)) }
        play.pass(2500)
        #expect(play.arrive(4) == "2!queue-full")
        #expect(play.end(1, 0) == "4>0")
        #expect(play.end(4, 0) == "3>0")
    }

    @Test func tenantsHaveLimits() {
        var play = ShieldPlay(.of(9) { $0.tenantRequestsPerSecond = 1 })
        #expect(play.arrive(1, tenant: 1) == "1>0" && play.arrive(2, tenant: 1) == "2!tenant-limit")
        #expect(play.arrive(3, tenant: 2) == "3>0" && play.arrive(4) == "4>0" && play.arrive(5) == "5>0")
        play.pass(1000)
        #expect(play.arrive(6, tenant: 1) == "6>0")
    }

    @Test func tokensThatWereNotUsedAreGivenBack() {
        var play = ShieldPlay(
            .of(9) {
                $0.upstreams[0].tokensPerMinute = 6000
                $0.tenantTokensPerMinute = 6000
            })
        #expect(play.arrive(1, tenant: 1, tokens: 1000) == "1>0")
        #expect(play.arrive(2, tenant: 1, tokens: 1000) == "2!tenant-limit")
        #expect(play.arrive(3, tenant: 2, tokens: 300) == "")
        play.state.settle(upstream: 0, tenant: CacheKey(1, 0, 0, 0), estimated: 1000, actual: 100)
        #expect(play.tick() == "")
        play.pass(1000)
        #expect(play.tick() == "3>0")
        #expect(play.arrive(4, tenant: 1, tokens: 1000) == "")
    }

    @Test func nobodyIsAskedFasterThanItsLimit() {
        var play = ShieldPlay(.of(9) { $0.upstreams[0].requestsPerSecond = 2 })
        #expect(play.arrive(1) == "1>0" && play.arrive(2) == "" && play.arrive(3) == "")
        #expect(play.wake() == "2>0" && play.now == 500 * ShieldPlay.millisecond)
        #expect(play.wake() == "3>0" && play.now == 1000 * ShieldPlay.millisecond)
    }

    @Test func theNextOneIsTriedOnceEach() {
        var play = ShieldPlay(.of(9, 9, 9))
        #expect(play.arrive(1) == "1>0")
        #expect(play.answer(1, 0, 503) == "" && play.another(1) == "", "not before the attempt is over")
        #expect(play.end(1, 0, .cancelled) == "" && play.another(1) == "1>1")
        #expect(play.end(1, 1, .failed) == "" && play.another(1) == "1>2")
        #expect(play.end(1, 2, .unreachable) == "" && play.another(1) == "1!no-upstream")
        #expect(play.another(1) == "" && play.state.report().tickets == 0)
    }

    @Test func anotherAttemptWaitsBeforeAllOthersOfItsClass() {
        var play = ShieldPlay(.of(1, 1))
        #expect(play.arrive(1) == "1>0" && play.arrive(2) == "2>1" && play.arrive(3) == "")
        // The slot that it gave back is of no use to it.
        #expect(play.end(1, 0, .failed) == "3>0" && play.another(1) == "" && play.arrive(4) == "")
        #expect(play.end(2, 1) == "1>1" && play.end(3, 0) == "4>0")
    }

    @Test func retriesHaveABudget() {
        var play = ShieldPlay(
            .of(99, 99) {
                $0.retryRatio = 0
                $0.retriesPerSecond = 0.2
            })
        var words: [String] = []
        for ticket in 1...4 {
            let start = play.arrive(UInt64(ticket))
            _ = play.end(UInt64(ticket), start.hasSuffix("0") ? 0 : 1, .failed)
            words.append(String(play.another(UInt64(ticket)).dropFirst()))
        }
        #expect(words == [">1", ">0", "!retry-budget", "!retry-budget"])
    }

    @Test func aBrokenUpstreamIsLeftAloneAndLookedAtOnce() {
        var play = ShieldPlay(.of(99))
        for ticket in 1...5 {
            #expect(play.arrive(UInt64(ticket)) == "\(ticket)>0")
            _ = play.end(UInt64(ticket), 0, .failed)
            _ = play.abandon(UInt64(ticket))
        }
        #expect(play.changes == [.breaker(upstream: 0, from: .closed, to: .open)])
        #expect(play.arrive(10) == "10!no-upstream")
        play.pass(1000)
        #expect(play.arrive(11) == "11>0" && play.arrive(12) == "12!no-upstream")
        #expect(play.answer(11, 0) == "" && play.arrive(13) == "13>0")
        #expect(play.changes.last == .breaker(upstream: 0, from: .halfOpen, to: .closed))
    }

    @Test func aPlainErrorBreaksNothing() {
        for (status, state) in [(500, BreakerState.closed), (429, .closed), (400, .closed), (502, .open), (503, .open)]
        {
            var play = ShieldPlay(.of(99))
            for ticket in 1...5 as ClosedRange<UInt64> {
                _ = play.arrive(ticket)
                _ = play.answer(ticket, 0, status)
                _ = play.end(ticket, 0)
                // A refusal slows it down, and this is not about that.
                play.pass(5000)
            }
            #expect(play.state.report().upstreams[0].breaker == state, "\(status)")
        }
    }

    @Test func silenceIsHeardThoughClientsLeave() {
        var play = ShieldPlay(.of(999))
        var ticket: UInt64 = 0
        for _ in 0..<20 {
            ticket += 1
            _ = play.arrive(ticket)
            _ = play.answer(ticket, 0)
            _ = play.end(ticket, 0)
        }
        for age in [200, 2000] as [Int64] {
            for _ in 0..<5 {
                ticket += 1
                _ = play.arrive(ticket)
                play.pass(age)
                _ = play.abandon(ticket)
            }
            #expect(play.state.report().upstreams[0].breaker == (age == 200 ? .closed : .open))
        }
    }

    @Test func aRefusalSlowsDownAndRetryAfterIsKeptTo() {
        var play = ShieldPlay(.of(99))
        _ = play.arrive(1)
        #expect(play.answer(1, 0, 429, RateNews(retryAfter: 3 * ShieldPlay.second)) == "")
        _ = play.end(1, 0)
        #expect(play.changes.count == 1 && play.state.report().upstreams[0].requestsPerSecond != nil)
        #expect(play.arrive(2) == "")
        #expect(play.wake() == "2>0" && play.now == 3 * ShieldPlay.second)
    }

    @Test func whoCannotBeServedInTimeIsToldAtOnce() {
        var play = ShieldPlay(.of(99))
        _ = play.arrive(1)
        _ = play.arrive(2)
        _ = play.answer(1, 0, 429, RateNews(retryAfter: 30 * ShieldPlay.second))
        let steps = play.state.arrive(UpstreamDemand(patience: 5 * ShieldPlay.second), ticket: 3, now: play.now)
        #expect(steps.sheds.map(\.reason) == [.noUpstream])
        #expect(
            steps.sheds[0].retryAfter >= 30 * ShieldPlay.second && steps.sheds[0].retryAfter < 38 * ShieldPlay.second)
    }

    @Test func anotherCredentialsRefusalIsNotMine() {
        var play = ShieldPlay(.of(99, 99) { for index in 0...1 { $0.upstreams[index].sharesCredential = false } })
        #expect(play.arrive(1, tenant: 1) == "1>0")
        _ = play.answer(1, 0, 429, RateNews(retryAfter: 5 * ShieldPlay.second))
        _ = play.end(1, 0, .cancelled)
        #expect(play.another(1) == "1>1")
        #expect(play.state.report().upstreams[0].requestsPerSecond == nil)
        #expect((2...5).map { play.arrive($0, tenant: 1) } == ["2>1", "3>1", "4>1", "5>1"])
        #expect(Set((6...9).map { play.arrive($0, tenant: 2).suffix(1) }) == ["0", "1"])
        play.pass(5000)
        #expect(Set((10...13).map { play.arrive($0, tenant: 1).suffix(2) }) == [">0", ">1"])
    }

    @Test func whoWaitsForItsOwnPauseHoldsNobodyUp() {
        var play = ShieldPlay(.of(99) { $0.upstreams[0].sharesCredential = false })
        #expect(play.arrive(1, tenant: 1) == "1>0")
        _ = play.answer(1, 0, 429, RateNews(retryAfter: 2 * ShieldPlay.second))
        for ticket in 2...9 as ClosedRange<UInt64> { #expect(play.arrive(ticket, tenant: 1) == "") }
        for ticket in 10...400 as ClosedRange<UInt64> {
            #expect(play.arrive(ticket, tenant: 1) == "\(ticket)!no-upstream", "a few may wait")
        }
        #expect(play.arrive(500, tenant: 2) == "500>0" && play.arrive(501, tenant: 3) == "501>0")
        play.pass(2000)
        #expect(play.tick() == "2>0 3>0 4>0 5>0 6>0 7>0 8>0 9>0")
    }

    @Test func retriesThatWaitForAnotherUpstreamHoldNobodyUp() {
        var play = ShieldPlay(
            .of(99, 1) { $0.retriesPerSecond = 100 })
        // The second one is taken for good.
        #expect(play.arrive(1) == "1>0" && play.arrive(2) == "2>1")
        for ticket in 3...22 as ClosedRange<UInt64> {
            #expect(play.arrive(ticket) == "\(ticket)>0")
            _ = play.answer(ticket, 0, 500)
            #expect(play.end(ticket, 0, .cancelled) == "" && play.another(ticket) == "")
        }
        #expect(play.arrive(100) == "100>0")
    }

    @Test func somebodyWakesForThoseBehindARetry() {
        var play = ShieldPlay(.of(99, 1) { $0.upstreams[0].tokensPerMinute = 60_000 })
        #expect(play.arrive(1, tokens: 10) == "1>0" && play.arrive(2, tokens: 10) == "2>1")
        #expect(play.end(1, 0, .failed) == "" && play.another(1) == "")
        #expect(play.arrive(3, tokens: 2900) == "3>0" && play.arrive(4, tokens: 1000) == "")
        #expect(play.wake() == "4>0" && play.now < 2 * ShieldPlay.second)
    }

    @Test func whatAnErrorDidNotUseIsGivenBack() {
        for status in [400, 404, 429, 500, 503] {
            var play = ShieldPlay(.of(99) { $0.upstreams[0].tokensPerMinute = 60_000 })
            #expect(play.arrive(1, tokens: 100_000) == "1>0" && play.arrive(2, tokens: 100, patience: 9000) == "")
            _ = play.answer(1, 0, status)
            _ = play.end(1, 0)
            play.pass(2000)
            _ = play.tick()
            #expect(play.state.report().upstreams[0].calls == 2, "\(status)")
        }
    }

    @Test func whatIsShedAtTheDoorEarnsNoRetries() {
        var play = ShieldPlay(
            .of(99, 99) {
                $0.tenantRequestsPerSecond = 1
                $0.retriesPerSecond = 0
                $0.retryRatio = 0.5
            })
        #expect(play.arrive(1, tenant: 1) == "1>0")
        for ticket in 2...50 as ClosedRange<UInt64> {
            #expect(play.arrive(ticket, tenant: 1) == "\(ticket)!tenant-limit")
        }
        #expect(play.end(1, 0, .failed) == "" && play.another(1) == "1!retry-budget")
    }

    @Test func aHedgeGoesToOverflowOnlyAboveTheMark() {
        var play = ShieldPlay(
            .of(4, 9) {
                $0.upstreams[1].isOverflow = true
                $0.hedges = true
                $0.overflowAt = 0.5
            })
        #expect(play.arrive(1) == "1>0" && play.hedge(1) == "")
        #expect(play.arrive(2) == "2>0" && play.hedge(1) == "1>1")
    }

    @Test func aPlaceThatIsUsedAgainKnowsNothingOfPauses() {
        var plan = ShieldPlan.of(9, 9) { for index in 0...1 { $0.upstreams[index].sharesCredential = false } }
        var play = ShieldPlay(plan)
        #expect(play.arrive(1, tenant: 1) == "1>0" && play.arrive(2, tenant: 1) == "2>1")
        _ = play.answer(2, 1, 429, RateNews(retryAfter: 600 * ShieldPlay.second))
        _ = play.end(2, 1)
        plan.upstreams.removeLast()
        _ = play.state.replan(plan, now: play.now)
        plan.upstreams[0].name = "new"
        _ = play.state.replan(plan, now: play.now)
        #expect(play.state.names == ["u0", "new"] && play.arrive(3, tenant: 1) == "3>1")
    }

    @Test func aReloadLeavesTheEjectedWhereItIs() {
        let plan = ShieldPlan.of(99, 99)
        var play = ShieldPlay(plan)
        for ticket in 1...40 as ClosedRange<UInt64> {
            let upstream = play.arrive(ticket).hasSuffix("0") ? 0 : 1
            _ = play.answer(ticket, upstream, upstream == 0 ? 500 : 200)
            _ = play.end(ticket, upstream)
        }
        play.pass(10_000)
        _ = play.tick()
        #expect(play.state.report().upstreams.map(\.isEjected) == [true, false])
        _ = play.state.replan(plan, now: play.now)
        #expect(play.state.report().upstreams.map(\.isEjected) == [true, false])
    }

    @Test func whatIsLeftIsKeptTo() {
        let quota = RateNews.Quota(limit: 60, remaining: 0, reset: 60 * ShieldPlay.second)
        var play = ShieldPlay(.of(99))
        _ = play.arrive(1, tokens: 30)
        _ = play.answer(1, 0, 200, RateNews(requests: quota))
        #expect(play.arrive(2, tokens: 30) == "" && play.wake() == "2>0" && play.now == ShieldPlay.second)
        _ = play.answer(2, 0, 200, RateNews(tokens: quota))
        #expect(play.arrive(3, tokens: 30) == "3!no-upstream", "half a minute is more than it has")
    }

    @Test func overflowOnlyAboveTheMark() {
        var play = ShieldPlay(
            .of(4, 9) {
                $0.upstreams[1].isOverflow = true
                $0.overflowAt = 1
            })
        #expect((1...4).map { play.arrive($0) } == ["1>0", "2>0", "3>0", "4>0"])
        #expect(play.arrive(5) == "5>1")
        _ = play.end(1, 0)
        #expect(play.arrive(6) == "6>0")
    }

    @Test func overflowWhenTheOthersAreDown() {
        var play = ShieldPlay(.of(4, 9) { $0.upstreams[1].isOverflow = true })
        #expect(play.probe(0, false) == "" && play.arrive(1) == "1>0" && play.probe(0, false) == "")
        #expect(play.arrive(2) == "2>1")
        #expect(play.changes == [.health(upstream: 0, isHealthy: false)])
        #expect(play.probe(0, true) == "" && play.arrive(3) == "3>0")
    }

    @Test func whenEveryProbeFailsTheProbesAreInDoubt() {
        var play = ShieldPlay(.of(4))
        for _ in 0..<3 { _ = play.probe(0, false) }
        #expect(play.arrive(1) == "1>0" && !play.state.report().upstreams[0].isHealthy)
    }

    @Test func aProbeSparesARequestTheLook() {
        var play = ShieldPlay(.of(9, 9))
        for ticket in [1, 2, 3, 4, 5, 6, 7, 8, 9] as [UInt64] {
            let start = play.arrive(ticket)
            if start.hasSuffix("0") { _ = play.end(ticket, 0, .unreachable) }
        }
        #expect(play.state.report().upstreams[0].breaker == .open)
        #expect(play.probe(0, true) == "" && play.state.report().upstreams[0].breaker == .open)
        play.pass(1000)
        #expect(play.probe(0, true) == "" && play.state.report().upstreams[0].breaker == .closed)
    }

    @Test func theLeastLoadedFirst() {
        var play = ShieldPlay(.of(9, 9) { $0.choice = .leastLoaded })
        #expect((1...2).map { play.arrive($0) } == ["1>0", "2>1"])
        for ticket in 3...6 as ClosedRange<UInt64> {
            _ = play.end(ticket - 1, 1)
            #expect(play.arrive(ticket) == "\(ticket)>1")
        }
    }

    @Test func aHedgeIsASecondAttemptAndTheFirstAnswerEndsBoth() {
        var play = ShieldPlay(.of(9, 9) { $0.hedges = true })
        #expect(play.state.hedgeDelay(upstream: 0) == nil)
        for ticket in 1...50 as ClosedRange<UInt64> {
            let upstream = play.arrive(ticket).hasSuffix("0") ? 0 : 1
            _ = play.answer(ticket, upstream)
            _ = play.end(ticket, upstream)
        }
        let delay = play.state.hedgeDelay(upstream: 0) ?? 0
        #expect(delay >= 100 * ShieldPlay.millisecond && delay < 115 * ShieldPlay.millisecond)
        #expect(play.arrive(60) == "60>0" && play.hedge(60) == "60>1" && play.hedge(60) == "")
        #expect(play.state.report().upstreams.map(\.inFlight) == [1, 1])
        #expect(play.answer(60, 1) == "" && play.end(60, 1) == "" && play.end(60, 0, .cancelled) == "")
        #expect(play.state.report().upstreams.map(\.inFlight) == [0, 0] && play.state.report().hedges == 1)
        #expect(play.arrive(61) == "61>1" && play.answer(61, 1) == "" && play.hedge(61) == "", "it is answered")
    }

    @Test func oneOfTwoAttemptsMayFail() {
        var play = ShieldPlay(.of(9, 9, 9) { $0.hedges = true })
        #expect(play.arrive(1) == "1>0" && play.hedge(1) == "1>1")
        #expect(play.end(1, 0, .failed) == "" && play.another(1) == "", "the other is still under way")
        #expect(play.end(1, 1, .failed) == "" && play.another(1) == "1>2" && play.end(1, 2) == "")
        #expect(play.state.report().tickets == 0)
    }

    @Test func aReloadKeepsWhatItKnows() {
        var play = ShieldPlay(.of(2, 2))
        for ticket in 1...4 as ClosedRange<UInt64> { _ = play.arrive(ticket) }
        #expect(play.arrive(5) == "")
        var plan = ShieldPlan.of(3, 2)
        plan.upstreams[1].name = "new"
        #expect(play.words(play.state.replan(plan, now: play.now)) == "5>0")
        #expect(play.state.names == ["u0", "u1", "new"])
        #expect(play.state.report().upstreams.map(\.inFlight) == [3, 0])
        #expect(play.arrive(6) == "6>2" && play.end(2, 1) == "" && play.end(4, 1) == "")
        // The place of the one that is gone is used again.
        plan.upstreams.append(ShieldPlan.Upstream(name: "third"))
        #expect(play.words(play.state.replan(plan, now: play.now)) == "" && play.state.names == ["u0", "third", "new"])
        // Everything taken out: nobody waits for nothing.
        plan.upstreams = []
        _ = play.arrive(7)
        #expect(play.words(play.state.replan(plan, now: play.now)) == "" && play.arrive(8) == "8!no-upstream")
    }

    @Test func eventsOfTicketsThatAreOverAreIgnored() {
        var play = ShieldPlay(.of(1))
        #expect(play.arrive(1) == "1>0" && play.abandon(1) == "")
        #expect(play.answer(1, 0, 503) == "" && play.end(1, 0, .failed) == "" && play.another(1) == "")
        #expect(play.abandon(1) == "" && play.hedge(1) == "" && play.end(99, 0) == "" && play.probe(7, true) == "")
        #expect(play.changes.isEmpty && play.state.report().upstreams[0].inFlight == 0)
    }

    @Test func theReportCountsWhatWasShed() {
        var play = ShieldPlay(.of(1) { $0.queue = 0 })
        _ = play.arrive(1)
        _ = play.arrive(2, .batch)
        _ = play.arrive(3, .batch)
        let report = play.state.report()
        let column = ShedReason.allCases.firstIndex(of: .queueFull) ?? 0
        #expect(report.sheds[Priority.batch.rawValue][column] == 2)
        #expect(report.sheds.reduce(0) { $0 + $1.reduce(0, +) } == 2 && report.upstreams[0].calls == 1)
    }
}
