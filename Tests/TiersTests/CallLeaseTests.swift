import Core
import TestKit
import Testing
import Tiers

/// Leases over a store that fails when told to, behind the breaker that they share with the tier.
@Suite struct CallLeaseTests {
    private let store = FakeKeyValueStore()
    private let clock = ManualClock()
    private let log = RecordingLog()
    private let key = CacheKey(1, 2, 3, 4)

    private var breaker: SharedBreaker { SharedBreaker(target: "redis", clock: clock, log: log) }

    private func leases(_ breaker: SharedBreaker) -> RedisCallLeases {
        RedisCallLeases(store: store, clock: clock, random: SeededSource(seed: 1), log: log, breaker: breaker)
    }

    @Test func whatIsWritten() async {
        let leases = leases(breaker)
        let name = "refrain:v1:lease:" + key.hex
        #expect(await leases.take(key) == .taken)
        #expect(store[name]?.milliseconds == 2000)
        #expect(leases.renewal == 600 * Duration64.nanosecondsPerMillisecond)
        await leases.release(key, isKept: false)
        #expect(store[name] == FakeKeyValueStore.Value(Bytes("fruitless"), milliseconds: 1000))
    }

    @Test(arguments: [KeyValueFailure.timeout, .notConnected, .overloaded, .shardLost, .server("NOPERM no")])
    func everyFailureIsUnknown(_ failure: KeyValueFailure) async {
        let leases = leases(breaker)
        store.failure = failure
        #expect(await leases.take(key) == .unknown)
        #expect(await leases.state(of: key) == .unknown)
        await leases.renew(key)
        await leases.release(key, isKept: true)
        store.failure = nil
        #expect(await leases.state(of: key) == .free)
    }

    @Test func anOutageThatTheTierMetIsKnownToTheLeases() async {
        let breaker = breaker
        let leases = leases(breaker)
        let tier = RedisTier(
            store: store, codec: CodecFixture.codec(limit: 1 << 20), options: RedisTier.Options(), clock: clock,
            log: log, breaker: breaker)
        store.failure = .timeout
        for _ in 0..<5 { _ = await tier.find(key) }
        #expect(tier.breakerState == .open && breaker.state == .open)
        let calls = store.calls.count
        #expect(await leases.take(key) == .unknown)
        #expect(store.calls.count == calls)
        store.failure = nil
        clock.advance(.seconds(10))
        #expect(await leases.take(key) == .taken)
        #expect(tier.breakerState == .closed)
    }
}
