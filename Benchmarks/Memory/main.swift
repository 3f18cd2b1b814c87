import Core
import FoundationEssentials
import TestKit
import Tiers

// What the memory tier costs: nanoseconds of a look-up and an insert, and bytes of resident memory an
// entry beyond its payload. Usage: MemoryBench [lru | tinylfu] [entries]

let arguments = CommandLine.arguments
let eviction = arguments.count > 1 ? Settings.Eviction(rawValue: arguments[1]) : .lru
let count = arguments.count > 2 ? Int(arguments[2]) : 1_000_000

/// A wall clock is not asked in these measurements.
struct StandingClock: Core.Clock {
    func monotonic() -> Int64 { 0 }
    func wall() -> Int64 { 0 }
}

func randomKeys(_ count: Int, seed: UInt64) -> [CacheKey] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in CacheKey(random.next(), random.next(), random.next(), random.next()) }
}

/// Payload: the content, one kept header line and the labels, with the byte that ends each string.
let header = HeaderField("openai-model", "gpt-4o-mini-2024-07-18")
let model = "gpt-4o-mini"
let labelBytes = header.name.utf8.count + header.value.utf8.count + 2 + model.utf8.count + 1 + 1

func entry(_ content: Bytes) -> Entry {
    let facts = Entry.Facts(createdAt: 0, ttl: 1_000_000, dialect: .chat, origin: .whole)
    return Entry(facts: facts, headers: [header], model: model, whole: content, stream: nil)
}

/// Resident memory of this process in bytes.
func residentBytes() -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }.map { $0 * 1_024 }
}

/// Nanoseconds an operation: the best of several batches, since a busy machine can only make one slower.
func nanoseconds(_ operations: Int, batches: Int, _ body: (Int) -> Void) -> Double {
    let clock = ContinuousClock()
    var best = Double.infinity
    for batch in 0..<batches {
        let duration = clock.measure { body(batch) }.components
        best = min(best, Double(duration.seconds) * 1e9 + Double(duration.attoseconds) / 1e9)
    }
    return best / Double(operations)
}

func report(_ name: String, _ value: Double, _ unit: String) {
    print("\(name): \((value * 10).rounded() / 10) \(unit)")
}

func makeTier(capacity: Int, _ eviction: Settings.Eviction) -> MemoryTier {
    MemoryTier(capacity: capacity, eviction: eviction, shards: 16, retainStale: 0, clock: StandingClock())
}

/// Fills a tier with `count` entries of mixed sizes and compares resident memory before and after.
func measureOverhead(_ eviction: Settings.Eviction, keys: [CacheKey]) {
    var random = SeededRandom(seed: 1)
    let contents = (0..<512).map { Bytes([UInt8](repeating: 1, count: $0 + 1)) }
    let tier = makeTier(capacity: 4 << 30, eviction)
    guard let before = residentBytes() else { return print("resident memory: not known on this system") }
    var payload = 0
    for key in keys {
        let content = contents[Int.random(in: contents.indices, using: &random)]
        payload += content.count + labelBytes
        tier.insert(entry(content), under: key, now: 0)
    }
    guard let after = residentBytes() else { return }
    let entries = tier.statistics.entries
    report("entries", Double(entries), "")
    report("payload an entry", Double(payload) / Double(entries), "bytes")
    report("overhead an entry", Double(after - before - payload) / Double(entries), "bytes of resident memory")
    report("charged an entry", Double(tier.statistics.bytes - payload) / Double(entries), "bytes beyond the payload")
    measureLookups(tier, keys: keys)
}

func measureLookups(_ tier: MemoryTier, keys: [CacheKey]) {
    var found = 0
    func measure(_ name: String, _ batches: [ArraySlice<CacheKey>]) {
        let best = nanoseconds(batches[0].count, batches: batches.count) { batch in
            for key in batches[batch] where tier.lookup(key, now: 1) != nil { found += 1 }
        }
        report(name, best, "ns")
    }
    measure("hit, 1000 hot keys", Array(repeating: keys.prefix(1_000), count: 3_000))
    measure("hit, all keys in turn", slices(of: keys))
    let hits = found
    measure("miss", slices(of: randomKeys(min(keys.count, 200_000), seed: 99)))
    precondition(hits > 0 && found == hits, "MemoryBench: look-ups did not find what they should")
}

/// Inserts into a tier that is full, so that every one gives up another.
func measureInserts(_ eviction: Settings.Eviction, keys: [CacheKey]) {
    let shared = entry(Bytes([UInt8](repeating: 1, count: 1_500)))
    let room = max(1, keys.count / 4) * (shared.byteCount + MemoryTier.overheadPerEntry(eviction))
    let tier = makeTier(capacity: room, eviction)
    for key in keys.prefix(keys.count / 2) { tier.insert(shared, under: key, now: 0) }
    let batches = slices(of: Array(keys.suffix(keys.count / 2)))
    report(
        "insert into a full tier",
        nanoseconds(batches[0].count, batches: batches.count) { batch in
            for key in batches[batch] { tier.insert(shared, under: key, now: 0) }
        }, "ns")
}

/// Equal parts of 1,000 keys, or all keys where there are fewer.
func slices(of keys: [CacheKey]) -> [ArraySlice<CacheKey>] {
    let size = min(1_000, keys.count)
    return (0..<(keys.count / size)).map { keys[($0 * size)..<(($0 + 1) * size)] }
}

if let eviction, let count, count > 1 {
    let keys = randomKeys(count, seed: 7)
    print("memory tier, \(eviction.rawValue)")
    measureOverhead(eviction, keys: keys)
    measureInserts(eviction, keys: keys)
} else {
    print("MemoryBench: wants lru or tinylfu, and a number of entries above 1")
}
