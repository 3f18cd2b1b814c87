import Core
import Foreign
import TestKit
import Testing

@testable import Tiers

@Suite struct RedisTierTests {
    private let store = FakeKeyValueStore()
    private let clock = ManualClock()
    private let log = RecordingLog()

    private static let key = CacheKey(0x0123_4567_89AB_CDEF, 0, 0, 1)
    private static let name = "refrain:v1:0123456789abcdef000000000000000000000000000000000000000000000001"

    private func tier(limit: Int = 1 << 20, _ change: (inout RedisTier.Options) -> Void = { _ in }) -> RedisTier {
        var options = RedisTier.Options()
        options.retainStale = 60_000
        change(&options)
        return RedisTier(
            store: store, codec: CodecFixture.codec(limit: limit), options: options, clock: clock, log: log)
    }

    private func entry(_ text: String = "text", age: Int64 = 0, ttl: Int64 = 10_000) -> Entry {
        let facts = Entry.Facts(createdAt: clock.wall() - age, ttl: ttl, dialect: .chat, origin: .whole)
        return Entry(facts: facts, whole: Bytes(text), stream: nil)
    }

    @Test(arguments: TierContract.all) func keepsTheContract(_ check: TierContract) async {
        #expect(await check.violations(tier(), clock.wall()) == [])
    }

    @Test func isKeptForWhatIsLeftOfLifetimeAndRetention() async {
        let tier = tier()
        let cases: [(age: Int64, ttl: Int64, expected: Int64?)] = [
            (0, 10_000, 70_000), (4_000, 10_000, 66_000), (69_999, 10_000, 1), (70_000, 10_000, nil), (0, -5, 60_000),
            (-5_000, 10_000, 75_000), (0, .max, 10 * 365 * 86_400_000), (0, .max - 60_000, 10 * 365 * 86_400_000),
        ]
        for (age, ttl, expected) in cases {
            store[Self.name] = .init(Bytes("older"), milliseconds: 1)
            await tier.store(entry(age: age, ttl: ttl), under: Self.key)
            #expect(store[Self.name]?.milliseconds == expected, "age \(age), ttl \(ttl)")
        }
    }

    @Test("facts that no answer of ours can have, under a checksum that fits, are a miss") func implausible()
        async throws
    {
        let now = clock.wall()
        let cases: [(createdAt: Int64, ttl: Int64, status: UInt16)] = [
            (1, .max, 200), (now, .max, 200), (now - 1, .min, 200), (-1, 10, 200), (.min, .max, 200),
            (now, 10_000, 500),
            (now, 10_000, 0), (now, 10_000, 101), (now, 10_000, .max),
        ]
        for (createdAt, ttl, status) in cases {
            var facts = Entry.Facts(createdAt: createdAt, ttl: ttl, dialect: .chat, origin: .whole)
            facts.status = status
            let entry = Entry(facts: facts, whole: Bytes("text"), stream: nil)
            store[Self.name] = .init(try CodecFixture.codec().encode(entry, under: Self.key), milliseconds: 1)
            #expect(await tier().find(Self.key) == nil, "created \(createdAt), ttl \(ttl), status \(status)")
            #expect(store[Self.name] == nil)
        }
    }

    @Test func whatCannotBeServedIsAMissAndDeleted() async throws {
        let other = try CodecFixture.codec().encode(entry(), under: CacheKey(9, 9, 9, 9))
        let sealed = try CodecFixture.codec(CodecFixture.seal(CodecFixture.firstKey)).encode(entry(), under: Self.key)
        let dead = try CodecFixture.codec().encode(entry(age: 70_000), under: Self.key)
        let cases: [(Bytes, EntryFailure?, isDeleted: Bool)] = [
            (Bytes("not ours"), .foreign, true), (Bytes(""), .tooShort, true), (other, .wrongKey, true),
            (dead, nil, true), (sealed, .unknownEncryptionKey, false),
        ]
        for (bytes, failure, isDeleted) in cases {
            let tier = tier()
            store[Self.name] = .init(bytes, milliseconds: 1)
            // What is for others to read stays where it is.
            #expect(await tier.look(for: Self.key).word == (isDeleted ? "nothing" : "unknown"))
            #expect((store[Self.name] == nil) == isDeleted, "\(failure?.word ?? "dead")")
            #expect(tier.statistics.refused == (failure.map { [$0: 1] } ?? [:]))
            #expect(tier.statistics.expired == (failure == nil ? 1 : 0))
            #expect(tier.statistics.deleted == (isDeleted ? 1 : 0))
        }
    }

    @Test func anEntryThatDoesNotFitTakesTheOldOneAway() async {
        let tier = tier(limit: 400)
        await tier.store(entry("small"), under: Self.key)
        #expect(store[Self.name] != nil)
        var random = SeededRandom(seed: 1)
        await tier.store(
            entry(String((0..<2000).map { _ in Character(UnicodeScalar(UInt8(random.next() % 94) + 32)) })),
            under: Self.key)
        #expect(store[Self.name] == nil)
        #expect(tier.statistics.notWritten == 1)
    }

    @Test(arguments: [KeyValueFailure.timeout, .disconnected, .notConnected, .stalled, .malformed])
    func anOutageOpensTheBreaker(_ failure: KeyValueFailure) async {
        let tier = tier { $0.breaker.failureLimit = 3 }
        await tier.store(entry(), under: Self.key)
        store.failure = failure
        for _ in 0..<10 { #expect(await tier.look(for: Self.key).word == "unknown") }
        #expect(store.calls.count == 1 + 3)
        #expect(tier.statistics.failures == [failure.word: 3])
        #expect(tier.statistics.notAsked == 7)
        #expect(tier.breakerState == .open)
        // It looks again after the pause, and all is well.
        store.failure = nil
        #expect(await tier.find(Self.key) == nil)
        clock.advance(.milliseconds(500))
        #expect(await tier.look(for: Self.key).word == "held")
        #expect(tier.breakerState == .closed)
        #expect(await tier.look(for: CacheKey(7, 7, 7, 7)).word == "nothing")
        #expect(log.lines.map(\.event) == ["breaker", "breaker", "breaker"])
    }

    @Test func aRefusalIsNoOutageAndOneLine() async {
        let tier = tier()
        store.failure = .server("OOM command not allowed when used memory > 'maxmemory'.")
        for _ in 0..<20 { await tier.store(entry(), under: Self.key) }
        #expect(tier.breakerState == .closed)
        #expect(log.lines.map(\.event) == ["redis-refuses"])
        // One write that is taken is not the end of it, eight are.
        for (writes, lines) in [(1, 1), (8, 2)] {
            store.failure = nil
            for _ in 0..<writes { await tier.store(entry(), under: Self.key) }
            store.failure = .server("OOM again")
            await tier.store(entry(), under: Self.key)
            #expect(log.lines.map(\.event) == Array(repeating: "redis-refuses", count: lines))
        }
    }
}

extension TierFinding {
    /// For expectations, which compare.
    var word: String {
        switch self {
        case .held: "held"
        case .nothing: "nothing"
        case .unknown: "unknown"
        }
    }
}
