import Core
import TestKit
import Testing

@testable import Engine

private let second = Duration64.nanosecondsPerSecond

@Suite struct TenantLimitsTests {
    private func tenant(_ number: Int) -> CacheKey { CacheKey(UInt64(number), 0, 0, 0) }

    @Test func eachHasItsOwn() {
        var limits = TenantLimits(requestsPerSecond: 2, tokensPerMinute: nil, capacity: 10, now: 0)
        for number in 1...2 {
            #expect(limits.take(tenant(number), tokens: 0, now: 0) == nil)
            #expect(limits.take(tenant(number), tokens: 0, now: 0) == nil)
            #expect(limits.take(tenant(number), tokens: 0, now: 0) == second / 2)
        }
        #expect(limits.take(tenant(1), tokens: 0, now: second / 2) == nil)
    }

    @Test func whoIsNotKnownIsNotLimited() {
        var limits = TenantLimits(requestsPerSecond: 1, tokensPerMinute: 1, capacity: 10, now: 0)
        for _ in 0..<100 { #expect(limits.take(CacheKey(0, 0, 0, 0), tokens: 10, now: 0) == nil) }
        var free = TenantLimits(requestsPerSecond: nil, tokensPerMinute: nil, capacity: 10, now: 0)
        for _ in 0..<100 { #expect(free.take(tenant(1), tokens: 10, now: 0) == nil) }
        #expect(free.count == 0)
    }

    @Test func tokensAreSettled() {
        var limits = TenantLimits(requestsPerSecond: nil, tokensPerMinute: 600, capacity: 10, now: 0)
        #expect(limits.take(tenant(1), tokens: 100, now: 0) == nil)
        #expect(limits.take(tenant(1), tokens: 50, now: 0) == 5 * second)
        limits.give(tenant(1), tokens: 60)
        #expect(limits.take(tenant(1), tokens: 50, now: 0) == nil)
        limits.give(tenant(2), tokens: 60)
        #expect(limits.count == 1)
    }

    @Test func nobodyGainsByComingUnderNewNames() {
        var limits = TenantLimits(requestsPerSecond: 1, tokensPerMinute: nil, capacity: 4, now: 0)
        let passed = (1...100).count { limits.take(tenant($0), tokens: 0, now: 0) == nil }
        // Four with an account each, and one from the allowance that the others share.
        #expect(passed == 5 && limits.count == 4)
        #expect(limits.take(tenant(1), tokens: 0, now: 0) != nil)
        // A second later the quiet ones make room.
        #expect(limits.take(tenant(50), tokens: 0, now: second) == nil && limits.count == 4)
        #expect(limits.take(tenant(50), tokens: 0, now: second) != nil)
        #expect(limits.take(tenant(1), tokens: 0, now: second) == nil)
    }

    @Test func refusalsOfACredentialAreKeptForAFew() {
        var pauses = CredentialPauses()
        pauses.pause(tenant(1), 0, until: 10, now: 0)
        pauses.pause(tenant(1), 0, until: 5, now: 0)
        pauses.pause(tenant(1), 1, until: 7, now: 0)
        #expect(pauses.end(tenant(1), 0) == 10 && pauses.end(tenant(1), 1) == 7)
        #expect(pauses.end(tenant(2), 0) < 0 && !pauses.concern(tenant(2)) && pauses.concern(tenant(1)))
        #expect(pauses.nextEnd(now: 0) == 7 && pauses.nextEnd(now: 8) == 10 && pauses.nextEnd(now: 10) == nil)
        for number in 10..<200 { pauses.pause(tenant(number), 0, until: Int64(100 + number), now: 0) }
        #expect(!pauses.concern(tenant(1)) && pauses.concern(tenant(199)))
        #expect((10..<200).count { pauses.concern(tenant($0)) } == CredentialPauses.capacity)
    }
}
