import Core
import TestKit
import Testing

@testable import Engine

@Suite struct TrustTests {
    private func key(_ number: UInt64) -> CacheKey { CacheKey(number, 0, 0, 0) }

    @Test("a credential is trusted for its lifetime, from when it was last accepted") func lifetime() {
        let trust = Trust(lifetime: 100)
        #expect(!trust.isTrusted(key(1), now: 0))
        trust.accept(key(1), now: 0)
        #expect(trust.isTrusted(key(1), now: 99))
        #expect(!trust.isTrusted(key(1), now: 100))
        trust.accept(key(1), now: 100)
        #expect(trust.isTrusted(key(1), now: 199))
        #expect(!trust.isTrusted(key(2), now: 100))
    }

    @Test("a refused credential is forgotten at once, whichever generation it is in") func refusal() {
        let trust = Trust(lifetime: 100, limit: 2)
        for number in 1...3 { trust.accept(key(UInt64(number)), now: 0) }
        #expect(trust.isTrusted(key(1), now: 1))
        trust.refuse(key(1))
        trust.refuse(key(3))
        #expect(!trust.isTrusted(key(1), now: 1))
        #expect(!trust.isTrusted(key(3), now: 1))
        #expect(trust.isTrusted(key(2), now: 1))
    }

    @Test("no more than twice the limit is remembered, and the newest always are") func turnover() {
        let trust = Trust(lifetime: 1000, limit: 10)
        for number in 0..<100 { trust.accept(key(UInt64(number)), now: 0) }
        let remembered = (0..<100).filter { trust.isTrusted(key(UInt64($0)), now: 1) }
        #expect(remembered.count <= 20)
        #expect(Set(remembered).isSuperset(of: 90..<100))
    }
}
