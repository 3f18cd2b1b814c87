import Core
import TestKit
import Testing

@testable import Tiers

struct MemoryTierTests {
    private static let now: Int64 = 1_700_000_000_000

    private static func tier(
        entries: Int = 8, eviction: Settings.Eviction = .lru, shards: Int = 1, retainStale: Int64 = 60_000
    ) -> MemoryTier {
        let charge = entry().byteCount + MemoryTier.overheadPerEntry(eviction)
        return MemoryTier(
            capacity: entries * charge * shards, eviction: eviction, shards: shards, retainStale: retainStale,
            clock: FixedClock(time: now))
    }

    private static func entry(bytes: Int = 100, createdAt: Int64 = now, ttl: Int64 = 60_000) -> Entry {
        let facts = Entry.Facts(createdAt: createdAt, ttl: ttl, dialect: .chat, origin: .whole)
        return Entry(facts: facts, whole: Bytes(capacity: bytes) { _ in bytes }, stream: nil)
    }

    private static func key(_ number: UInt64) -> CacheKey {
        var random = SeededRandom(seed: number)
        return CacheKey(random.next(), random.next(), random.next(), random.next())
    }

    @Test(arguments: TierContract.all, Settings.Eviction.allCases)
    func contract(_ contract: TierContract, eviction: Settings.Eviction) async {
        let tier = MemoryTier(
            capacity: 16 << 20, eviction: eviction, shards: 4, retainStale: 60_000, clock: FixedClock(time: Self.now))
        #expect(await contract.violations(tier, Self.now) == [])
        #expect(tier.checkInvariants() == [])
    }

    @Test func theLeastRecentlyUsedGoesFirst() {
        let tier = Self.tier(entries: 4)
        for number: UInt64 in 1...4 {
            #expect(tier.insert(Self.entry(), under: Self.key(number), now: Self.now) == .stored)
        }
        _ = tier.lookup(Self.key(1), now: Self.now)
        _ = tier.peek(Self.key(2), now: Self.now)
        tier.insert(Self.entry(), under: Self.key(5), now: Self.now)
        #expect(tier.hottest(9) == [5, 1, 4, 3].map(Self.key))
        #expect(tier.hottest(2) == [5, 1].map(Self.key))
        #expect(tier.statistics.evictions(.capacity) == 1)
    }

    @Test func whatIsNotWantedLeavesWhatIsThere() {
        let tier = Self.tier()
        let held = Self.entry()
        tier.insert(held, under: Self.key(1), now: Self.now)
        #expect(tier.insert(Self.entry(), under: Self.key(1), now: Self.now) { false } == .refused(.unwanted))
        #expect(tier.peek(Self.key(1), now: Self.now)?.isIdentical(to: held) == true)
        #expect(tier.insert(Self.entry(), under: Self.key(1), now: Self.now) { true } == .replaced)
    }

    @Test(arguments: [
        (bytes: 0, outcome: InsertOutcome.stored), (bytes: 1_000_000, outcome: .refused(.tooLarge)),
    ])
    func anEntryBeyondItsShareIsRefusedAndWhatItWasToReplaceIsGone(bytes: Int, outcome: InsertOutcome) {
        let tier = Self.tier()
        #expect(tier.insert(Self.entry(bytes: bytes), under: Self.key(1), now: Self.now) == outcome)
        tier.insert(Self.entry(), under: Self.key(1), now: Self.now)
        let again = tier.insert(Self.entry(bytes: bytes), under: Self.key(1), now: Self.now)
        #expect(again == (outcome == .stored ? .replaced : outcome))
        #expect((tier.peek(Self.key(1), now: Self.now) != nil) == (outcome == .stored))
    }

    @Test func theLargestEntryFits() {
        let tier = Self.tier(entries: 40)
        let overhead = Self.entry(bytes: 0).byteCount
        let largest = Self.entry(bytes: tier.largestEntry / 16 * 16 - overhead)
        #expect(largest.byteCount <= tier.largestEntry)
        #expect(tier.insert(largest, under: Self.key(1), now: Self.now) == .stored)
    }

    /// Lifetime 10 s, retention 60 s: what the clock says, and whether the entry is still there.
    @Test(arguments: [
        (0, true), (9_999, true), (10_000, true), (69_999, true), (70_000, false), (Int64.max - now, false),
        (-69_999, true), (-70_001, false), (Int64.min, false),
    ])
    func entriesAreRetainedBeyondTheirLifetimeAndNoLonger(offset: Int64, held: Bool) {
        let tier = Self.tier()
        tier.insert(Self.entry(ttl: 10_000), under: Self.key(1), now: Self.now)
        let time = offset == Int64.min ? Int64.min : Self.now + offset
        #expect((tier.peek(Self.key(1), now: time) != nil) == held)
        #expect((tier.lookup(Self.key(1), now: time) != nil) == held)
        #expect(tier.statistics.evictions(.expired) == (held ? 0 : 1))
        #expect((tier.lookup(Self.key(1), now: Self.now) != nil) == held)
    }

    @Test(arguments: [Int64.max, Int64.max - 1_000])
    func endlessLifetimesDoNotOverflow(ttl: Int64) {
        let tier = Self.tier(retainStale: Int64.max)
        #expect(tier.insert(Self.entry(ttl: ttl), under: Self.key(1), now: Self.now) == .stored)
        #expect(tier.lookup(Self.key(1), now: Self.now + 1) != nil)
    }

    @Test func whatIsDeadOnArrivalIsRefused() {
        let tier = Self.tier(retainStale: 0)
        let dead = Self.entry(createdAt: Self.now - 10, ttl: 10)
        #expect(tier.insert(dead, under: Self.key(1), now: Self.now) == .refused(.expired))
        #expect(tier.statistics.entries == 0)
    }

    @Test func aSweepGoesOnWhereItStopped() {
        let tier = Self.tier(entries: 10, retainStale: 0)
        for number: UInt64 in 1...10 { tier.insert(Self.entry(ttl: 10), under: Self.key(number), now: Self.now) }
        for left in [7, 4, 1, 0, 0] {
            tier.sweep(now: Self.now + 10, budget: 3)
            #expect(tier.statistics.entries == left)
        }
        #expect(tier.statistics.evictions(.expired) == 10)
        #expect(tier.checkInvariants() == [])
    }

    @Test(arguments: Settings.Eviction.allCases)
    func purgesReachEveryShardAndOnlyWhatMatches(eviction: Settings.Eviction) {
        let tier = Self.tier(entries: 400, eviction: eviction, shards: 8)
        for number: UInt64 in 0..<1_000 {
            tier.insert(Self.entry(ttl: number % 2 == 0 ? 1_000 : 2_000), under: Self.key(number), now: Self.now)
        }
        #expect(tier.removeAll { _, entry in entry.facts.ttl == 1_000 } == 500)
        #expect(tier.statistics.entries == 500)
        #expect((0..<1_000).allSatisfy { (tier.peek(Self.key($0), now: Self.now) != nil) == ($0 % 2 == 1) })
        #expect(tier.removeAll() == 500)
        #expect(tier.statistics.entries == 0)
        #expect(tier.statistics.evictions(.purged) == 1_000)
        #expect(tier.checkInvariants() == [])
    }

    @Test func whatIsAskedForOftenOutlivesAScan() {
        let tier = Self.tier(entries: 100, eviction: .tinylfu)
        func request(_ number: UInt64) -> Bool {
            if tier.lookup(Self.key(number), now: Self.now) != nil { return true }
            tier.insert(Self.entry(), under: Self.key(number), now: Self.now)
            return false
        }
        for _ in 0..<5 { for number: UInt64 in 0..<50 { _ = request(number) } }
        for number: UInt64 in 1_000..<2_000 { #expect(!request(number)) }
        let survivors = (0..<50).count { tier.peek(Self.key($0), now: Self.now) != nil }
        #expect(survivors == 50)
        #expect(tier.checkInvariants() == [])
    }

    @Test func aLargeNewcomerDoesNotDisplaceManyThatAreWanted() {
        let tier = Self.tier(entries: 100, eviction: .tinylfu)
        for number: UInt64 in 0..<100 {
            for _ in 0..<3 { _ = tier.lookup(Self.key(number), now: Self.now) }
            tier.insert(Self.entry(), under: Self.key(number), now: Self.now)
        }
        let large = Self.entry(bytes: 6_500)
        _ = tier.lookup(Self.key(200), now: Self.now)
        #expect(tier.insert(large, under: Self.key(200), now: Self.now) == .refused(.admission))
        #expect((0..<100).allSatisfy { tier.peek(Self.key($0), now: Self.now) != nil })
    }

    /// Shards are a power of two between bounds, whatever is asked for.
    @Test(arguments: [-1, 0, 1, 3, 7, 1_000])
    func anyNumberOfShardsWorks(shards: Int) {
        let tier = MemoryTier(
            capacity: 4 << 20, eviction: .lru, shards: shards, retainStale: 0, clock: FixedClock(time: Self.now))
        for number: UInt64 in 0..<500 {
            #expect(tier.insert(Self.entry(), under: Self.key(number), now: Self.now) == .stored)
        }
        #expect((0..<500).allSatisfy { tier.lookup(Self.key($0), now: Self.now) != nil })
        #expect(tier.checkInvariants() == [])
    }

    @Test(arguments: [-5, 0, 100])
    func withoutCapacityEverythingIsRefused(capacity: Int) {
        for eviction in Settings.Eviction.allCases {
            let tier = MemoryTier(
                capacity: capacity, eviction: eviction, shards: 4, retainStale: 0, clock: FixedClock(time: Self.now))
            #expect(tier.insert(Self.entry(), under: Self.key(1), now: Self.now) == .refused(.tooLarge))
            #expect(tier.statistics == MemoryStatistics())
        }
    }

    /// Meant for the thread sanitizer; without it, for the invariants.
    @Test(arguments: Settings.Eviction.allCases)
    func manyTasksAtOnce(eviction: Settings.Eviction) async {
        let tier = Self.tier(entries: 60, eviction: eviction, shards: 4)
        await withTaskGroup(of: Void.self) { group in
            for task: UInt64 in 0..<6 {
                group.addTask { @concurrent in
                    var random = SeededRandom(seed: task)
                    for step in 0..<4_000 {
                        let number = UInt64.random(in: 0..<500, using: &random)
                        if let found = tier.lookup(Self.key(number), now: Self.now) {
                            #expect(found.facts.ttl == 1_000 + Int64(number))
                        } else {
                            let entry = Self.entry(bytes: Int(number), ttl: 1_000 + Int64(number))
                            tier.insert(entry, under: Self.key(number), now: Self.now)
                        }
                        switch step % 500 {
                        case 100: tier.removeAll { _, entry in entry.facts.ttl % 7 == 0 }
                        case 200: tier.sweep(now: Self.now, budget: 100)
                        case 300: tier.removeNow(Self.key(number))
                        case 400: #expect(tier.hottest(10).count <= 10)
                        default: break
                        }
                    }
                }
            }
        }
        #expect(tier.checkInvariants() == [])
        #expect(tier.statistics.bytes <= tier.capacity)
    }
}
