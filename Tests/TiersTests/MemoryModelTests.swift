import Core
import Foundation
import TestKit
import Testing

@testable import Tiers

/// The memory tier against models with a tiny key space, a tiny capacity and a clock that also runs backwards. The seed
/// is the argument of the test; `REFRAIN_SEED=n` adds one to replay.
struct MemoryModelTests {
    static let seeds = Array(1...24) + [ProcessInfo.processInfo.environment["REFRAIN_SEED"].flatMap(UInt64.init) ?? 0]

    private static let steps = 3_000
    private static let retainStale: Int64 = 50

    @Test(arguments: seeds, [1, 4])
    func lruEqualsItsModel(seed: UInt64, shards: Int) {
        var script = Script(seed: seed)
        let capacity = 1_400
        let tier = MemoryTier(
            capacity: capacity * shards, eviction: .lru, shards: shards, retainStale: Self.retainStale,
            clock: FixedClock(time: 0))
        var models = (0..<shards).map { _ in LRUModel(capacity: capacity, retainStale: Self.retainStale) }
        for step in 1...Self.steps {
            let now = script.now
            let operation = script.next()
            let key = script.key
            let model = shards == 1 ? 0 : Int(key.word1 >> 62)
            let agree: Bool
            switch operation {
            case .lookup: agree = same(tier.lookup(key, now: now), models[model].lookup(key, now: now))
            case .peek: agree = same(tier.peek(key, now: now), models[model].peek(key, now: now))
            case .insert(let entry):
                agree =
                    tier.insert(entry, under: key, now: now) == models[model].insert(entry, under: key, now: now)
            case .remove: agree = tier.removeNow(key) == models[model].remove(key)
            case .purge(let tenant):
                let expected = models.indices.reduce(0) { sum, index in
                    sum + models[index].removeAll { _, entry in entry.facts.tenant == tenant }
                }
                agree = tier.removeAll { _, entry in entry.facts.tenant == tenant } == expected
            case .sweep:
                tier.sweep(now: now, budget: 1_000)
                for index in models.indices { models[index].sweep(now: now) }
                agree = true
            }
            let statistics = tier.statistics
            let same =
                agree && tier.checkInvariants().isEmpty
                && statistics.bytes == models.reduce(0) { $0 + $1.bytes }
                && statistics.entries == models.reduce(0) { $0 + $1.held.count }
                && (shards > 1 || tier.hottest(100) == models[0].held.map(\.key))
                && EvictionReason.allCases.allSatisfy { reason in
                    statistics.evictions(reason) == models.reduce(0) { $0 + $1.evictions[reason, default: 0] }
                }
            guard same else {
                Issue.record("seed \(seed), step \(step), \(operation): \(statistics) \(tier.checkInvariants())")
                return
            }
        }
    }

    /// What TinyLFU keeps is its own affair, but what it returns must be the last that was stored.
    @Test(arguments: seeds)
    func tinylfuReturnsOnlyWhatIsCurrent(seed: UInt64) {
        var script = Script(seed: seed)
        let capacity = 2_500
        let tier = MemoryTier(
            capacity: capacity, eviction: .tinylfu, shards: 1, retainStale: Self.retainStale,
            clock: FixedClock(time: 0))
        var current: [CacheKey: Entry] = [:]
        var hits = 0
        for step in 1...Self.steps {
            let now = script.now
            let operation = script.next()
            let key = script.key
            var fine = true
            switch operation {
            case .lookup, .peek:
                let found = operation.isLookup ? tier.lookup(key, now: now) : tier.peek(key, now: now)
                if let found {
                    hits += 1
                    let life = found.facts.ttl + Self.retainStale
                    fine = same(found, current[key]) && (-life..<life).contains(now - found.facts.createdAt)
                }
            case .insert(let entry):
                current[key] = entry
                let outcome = tier.insert(entry, under: key, now: now)
                if case .refused = outcome { fine = tier.peek(key, now: now) == nil }
            case .remove:
                fine = tier.removeNow(key) ? current[key] != nil : true
                current[key] = nil
            case .purge(let tenant):
                tier.removeAll { _, entry in entry.facts.tenant == tenant }
                current = current.filter { $0.value.facts.tenant != tenant }
            case .sweep: tier.sweep(now: now, budget: 1_000)
            }
            let faults = tier.checkInvariants()
            guard fine, faults.isEmpty else {
                Issue.record("seed \(seed), step \(step), \(operation): \(faults)")
                return
            }
        }
        #expect(hits > 0)
    }

    private func same(_ a: Entry?, _ b: Entry?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return a.isIdentical(to: b)
    }
}

/// A random sequence of operations on a dozen keys.
private struct Script {
    enum Operation: CustomStringConvertible {
        case lookup, peek, remove, sweep
        case insert(Entry)
        case purge(tenant: UInt64)

        var isLookup: Bool { if case .lookup = self { true } else { false } }

        var description: String {
            switch self {
            case .lookup: "lookup"
            case .peek: "peek"
            case .remove: "remove"
            case .sweep: "sweep"
            case .insert(let entry): "insert \(entry.facts) of \(entry.byteCount) bytes"
            case .purge(let tenant): "purge \(tenant)"
            }
        }
    }

    private var random: SeededRandom
    private(set) var now: Int64 = 1_000_000
    private(set) var key = CacheKey(0, 0, 0, 0)

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func next() -> Operation {
        // Few different words, so that keys share buckets, shards and sketch blocks.
        let number = UInt64.random(in: 0..<12, using: &random)
        key = CacheKey(number % 3, number << 62, number % 2, number)
        defer { moveClock() }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: return .lookup
        case 45..<50: return .peek
        case 50..<90: return .insert(entry())
        case 90..<96: return .remove
        case 96..<98: return .sweep
        default: return .purge(tenant: UInt64.random(in: 0..<4, using: &random))
        }
    }

    private mutating func entry() -> Entry {
        var facts = Entry.Facts(
            createdAt: now - Int64.random(in: -20..<60, using: &random),
            ttl: Int64.random(in: 0..<200, using: &random), dialect: .chat, origin: .whole)
        facts.tenant = UInt64.random(in: 0..<4, using: &random)
        let size = Int.random(in: 0..<240, using: &random)
        return Entry(facts: facts, whole: Bytes(capacity: size) { _ in size }, stream: nil)
    }

    private mutating func moveClock() {
        switch Int.random(in: 0..<200, using: &random) {
        case 0: now += Int64.random(in: 0..<1_000, using: &random)
        case 1: now -= Int64.random(in: 0..<1_000, using: &random)
        case 2..<20: now -= Int64.random(in: 0..<5, using: &random)
        default: now += Int64.random(in: 0..<4, using: &random)
        }
    }
}

/// A clock for tiers whose asynchronous functions see one moment only.
struct FixedClock: Clock {
    let time: Int64
    func monotonic() -> Int64 { 0 }
    func wall() -> Int64 { time }
}
