import Core
import Foreign
import TestKit
import Testing

@testable import Tiers

struct ObjectTierTests {
    private typealias Fixture = CodecFixture

    private struct Bench {
        let store = FakeObjectStore()
        let clock = ManualClock()
        let log = RecordingLog()
        let tier: ObjectTier

        init(_ codec: EntryCodec = CodecFixture.codec(), _ change: (inout ObjectTier.Options) -> Void = { _ in }) {
            var options = ObjectTier.Options()
            options.retainStale = 60_000
            change(&options)
            tier = ObjectTier(store: store, codec: codec, options: options, clock: clock, log: log)
        }

        func entry(_ text: String = "text", ttl: Int64 = 10_000) -> Entry {
            let facts = Entry.Facts(createdAt: clock.wall(), ttl: ttl, dialect: .chat, origin: .whole)
            return Entry(facts: facts, whole: Bytes(text), stream: nil)
        }
    }

    private let key = CodecFixture.key(1)

    @Test(arguments: TierContract.all, [false, true])
    func contract(_ contract: TierContract, isSealed: Bool) async throws {
        let bench = Bench(isSealed ? Fixture.codec(try Fixture.seal(Fixture.firstKey)) : Fixture.codec())
        #expect(await contract.violations(bench.tier, bench.clock.wall()) == [])
        #expect(bench.log.lines.isEmpty)
    }

    /// What may lie under a key that is no entry of it, and whether it is deleted.
    @Test(arguments: EntryFailure.allCases)
    func whatIsNoEntryIsACountedMiss(failure: EntryFailure) async throws {
        let sealed = Fixture.codec(try Fixture.seal(Fixture.firstKey))
        let bench = Bench(failure == .unsealed || failure == .forged ? sealed : Fixture.codec())
        let entry = bench.entry()
        var bytes = try Fixture.codec().encode(entry, under: key).array
        switch failure {
        case .tooShort: bytes.removeLast()
        case .foreign: bytes = Array("<html>".utf8)
        case .futureVersion: bytes[4] = 2
        case .corrupt: bytes[bytes.count - 1] ^= 1
        case .wrongKey: bytes = try Fixture.codec().encode(entry, under: Fixture.key(2)).array
        case .unsealed: break
        case .unknownEncryptionKey: bytes = try sealed.encode(entry, under: key).array
        case .forged:
            bytes = try sealed.encode(entry, under: key).array
            bytes[EntryLayout.head + EntryLayout.seal] ^= 1
            Fixture.resum(&bytes)
        case .tooLarge: bytes = [UInt8](repeating: 0, count: Fixture.limit + 1)
        }
        let name = ObjectName(entry: key)
        bench.store[name] = Bytes(bytes)
        #expect(await bench.tier.find(key) == nil)
        #expect(bench.tier.statistics.refused == [failure: 1])
        #expect((bench.store[name] == nil) == failure.condemns)
        #expect(bench.tier.statistics.deleted == (failure.condemns ? 1 : 0))
        #expect(bench.log.lines.isEmpty)
    }

    /// Lifetime 10 s, retention 60 s.
    @Test(arguments: [(0, true), (10_000, true), (69_999, true), (70_000, false), (-69_999, true), (-70_001, false)])
    func entriesAreFoundUntilTheirRetentionEnds(offset: Int64, isFound: Bool) async {
        let bench = Bench()
        await bench.tier.store(bench.entry(), under: key)
        bench.clock.stepWall(milliseconds: offset)
        #expect((await bench.tier.find(key) != nil) == isFound)
        #expect((bench.store[ObjectName(entry: key)] != nil) == isFound)
        #expect(bench.tier.statistics.expired == (isFound ? 0 : 1))
    }

    @Test(arguments: [(0, false), (100, true), (1_000, false), (5_000, false)])
    func entriesOutsideTheirBoundsAreNotWrittenAndWhatTheyWereToReplaceGoes(count: Int, isWritten: Bool) async {
        var random = SeededRandom(seed: 1)
        let noise = String(
            (0..<count).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement(using: &random) ?? "a" })
        let bench = Bench { ($0.floor, $0.ceiling) = (140, 600) }
        await bench.tier.store(bench.entry("a text that is long enough"), under: key)
        #expect(bench.store[ObjectName(entry: key)] != nil)
        await bench.tier.store(bench.entry(noise), under: key)
        #expect(await bench.tier.find(key).map { $0.content(.whole)?.text == noise } == (isWritten ? true : nil))
        #expect(bench.tier.statistics.notWritten == (isWritten ? 0 : 1))
    }

    @Test func onSecondHitOnlyTheSecondOfferIsWritten() async {
        let bench = Bench { $0.write = .onSecondHit }
        await bench.tier.store(bench.entry(), under: key)
        await bench.tier.store(bench.entry(), under: Fixture.key(2))
        #expect(await bench.tier.find(key) == nil)
        await bench.tier.store(bench.entry(), under: key)
        #expect(await bench.tier.find(key) != nil)
        #expect(await bench.tier.find(Fixture.key(2)) == nil)
        #expect((bench.tier.statistics.firstSeen, bench.tier.statistics.writes) == (2, [.stored: 1, .refused: 2]))
    }

    @Test func theDoorkeeperForgetsWhatIsLongAgo() {
        var doorkeeper = Doorkeeper()
        func sees(_ numbers: ClosedRange<Int>) -> [Bool] {
            numbers.map { doorkeeper.hasSeen(CacheKey(UInt64($0), 0, 0, 0)) }
        }
        #expect(sees(0...0) == [false])
        #expect(sees(0...0) == [true])
        _ = sees(1...Doorkeeper.span)
        #expect(sees(0...1) == [true, true])
        _ = sees((Doorkeeper.span + 1)...(3 * Doorkeeper.span))
        #expect(sees(0...1) == [false, false])
    }

    @Test func switchedOffItReadsAndDoesNotWrite() async throws {
        let bench = Bench { $0.write = .off }
        bench.store[ObjectName(entry: key)] = try Fixture.codec().encode(bench.entry(), under: key)
        await bench.tier.store(bench.entry("other"), under: key)
        #expect(await bench.tier.find(key)?.content(.whole)?.text == "text")
        #expect(bench.store.calls.map { $0.prefix(4) } == ["get "])
    }

    @Test(arguments: [.deadline, .unavailable, .malformed, .broken, .shutdown] as [ObjectFailure.Kind])
    func anOutageOpensTheBreakerUntilALookUpWorks(kind: ObjectFailure.Kind) async {
        let bench = Bench()
        await bench.tier.store(bench.entry(), under: key)
        bench.store.failure = ObjectFailure(kind, "as told")
        for _ in 0..<20 { #expect(await bench.tier.look(for: key).word == "unknown") }
        #expect(bench.tier.breakerState == .open)
        #expect(await bench.tier.store(bench.entry(), under: key) == .failed)
        #expect(await bench.tier.remove(key) == false)
        #expect(bench.tier.statistics.failures == [kind: 5] && bench.tier.statistics.notAsked == 17)
        #expect(bench.tier.statistics.writes == [.stored: 1, .failed: 1])
        #expect(bench.log.lines.map(\.event) == ["breaker"])
        #expect(bench.log.lines[0].fields.first { $0.name == "reason" }?.value == "\(kind.rawValue): as told")
        bench.store.failure = nil
        bench.clock.advance(.milliseconds(500))
        #expect(await bench.tier.find(key) != nil)
        #expect(bench.tier.breakerState == .closed)
        #expect(bench.log.lines.map(\.event) == ["breaker", "breaker", "breaker"])
    }

    @Test(arguments: [.denied, .full] as [ObjectFailure.Kind])
    func aStoreThatRefusesIsACountedMissAndOneLine(kind: ObjectFailure.Kind) async {
        let bench = Bench()
        await bench.tier.store(bench.entry(), under: key)
        bench.store.failure = ObjectFailure(kind, "as told")
        for _ in 0..<20 { #expect(await bench.tier.find(key) == nil) }
        await bench.tier.store(bench.entry(), under: key)
        #expect(await bench.tier.remove(key) == false)
        #expect(bench.tier.statistics.failures == [kind: 22] && bench.tier.breakerState == .closed)
        // Reading and writing fail separately.
        #expect(bench.log.lines.map(\.event) == ["objects-failing", "objects-failing"])
        bench.store.failure = nil
        for _ in 0..<20 { #expect(await bench.tier.find(key) != nil) }
        #expect(bench.log.lines.map(\.event) == ["objects-failing", "objects-failing", "objects-working"])
        #expect(bench.log.lines.last?.fields.first { $0.name == "failures" }?.value == "20")
    }

    @Test func oneThatIsTooBusyForLongIsOneLine() async {
        let bench = Bench()
        bench.store.failure = ObjectFailure(.busy, "as told")
        for _ in 0..<4 { _ = await bench.tier.find(key) }
        #expect(bench.log.lines.isEmpty)
        for _ in 0..<20 { _ = await bench.tier.find(key) }
        #expect(bench.log.lines.map(\.event) == ["objects-failing"] && bench.tier.breakerState == .closed)
    }

    /// Look-ups that work keep the breaker closed, so the line about writes comes from elsewhere.
    @Test func writesThatFailWhileLookUpsWorkAreOneLine() async {
        let bench = Bench()
        for _ in 0..<20 {
            bench.store.failure = ObjectFailure(.broken, "as told")
            #expect(await bench.tier.store(bench.entry(), under: key) == .failed)
            bench.store.failure = nil
            #expect(await bench.tier.find(key) == nil)
        }
        #expect(bench.tier.breakerState == .closed)
        #expect(bench.log.lines.map(\.event) == ["objects-failing"])
    }

    @Test func writesThatWorkDoNotKeepTheBreakerClosedForLookUpsThatFail() async {
        let bench = Bench()
        for _ in 0..<5 {
            bench.store.failure = nil
            #expect(await bench.tier.store(bench.entry(), under: key) == .stored)
            bench.store.failure = ObjectFailure(.deadline, "as told")
            #expect(await bench.tier.find(key) == nil)
        }
        #expect(bench.tier.breakerState == .open)
    }

    @Test(arguments: [(250, .closed), (251, .halfOpen)] as [(Int64, BreakerState)])
    func aWriteClosesTheBreakerIfItIsAsFastAsALookUp(milliseconds: Int64, state: BreakerState) async {
        let bench = Bench()
        bench.store.failure = ObjectFailure(.deadline, "as told")
        for _ in 0..<5 { _ = await bench.tier.find(key) }
        bench.store.failure = nil
        bench.clock.advance(.milliseconds(500))
        bench.store.during = { bench.clock.advance(.milliseconds(milliseconds)) }
        #expect(await bench.tier.store(bench.entry(), under: key) == .stored)
        #expect(bench.tier.breakerState == state)
    }

    @Test func whatTheStoreFindsTooLargeIsNoFailureOfTheStore() async {
        let bench = Bench()
        bench.store.failure = ObjectFailure(.tooLarge, "as told")
        #expect(await bench.tier.find(key) == nil)
        #expect(bench.tier.statistics.refused == [.tooLarge: 1])
        #expect(bench.tier.statistics.failures == [:])
        #expect(bench.log.lines.isEmpty)
    }

    @Test func aStoreThatFailsNowAndThenIsOneLineAtMost() async {
        for (kind, lines) in [(ObjectFailure.Kind.deadline, []), (.denied, ["objects-failing"])] {
            let bench = Bench()
            for round in 0..<50 {
                bench.store.failure = round % 4 == 0 ? ObjectFailure(kind, "as told") : nil
                _ = await bench.tier.find(key)
            }
            #expect(bench.log.lines.map(\.event) == lines)
        }
    }
}
