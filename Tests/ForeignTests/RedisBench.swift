import Core
import Foreign
import Foundation
import Synchronization
import TestKit
import Testing
import Tiers

/// A client on a loop's thread, and a tier above it. To be closed.
final class RedisBench: Sendable {
    let loop: EventLoop
    let client: RedisClient
    let store: RedisStore
    let log = RecordingLog()
    private let thread: SystemThread

    init(_ url: String, _ change: (inout RedisOptions) -> Void = { _ in }) throws {
        Signals.ignoreBrokenPipes()
        var options = RedisOptions(url: try RedisURL(url))
        // Patient, because the machine may be busy; a test about these limits sets its own.
        options.stallLimit = 5 * Duration64.nanosecondsPerSecond
        options.silenceLimit = 10 * Duration64.nanosecondsPerSecond
        options.connectTimeout = 5 * Duration64.nanosecondsPerSecond
        change(&options)
        loop = try EventLoop()
        client = try RedisClient(loop: loop, options: options, clock: SystemClock(), random: SystemRandom(), log: log)
        store = RedisStore(clients: [client])
        thread = try loop.startThread(named: "redis")
        loop.execute { [client] in client.open() }
    }

    func close() {
        loop.execute { [client] in client.close() }
        loop.stop()
        thread.join()
    }

    /// What `body` sees on the loop's thread.
    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (RedisClient) -> Result) async -> Result {
        await withCheckedContinuation { done in
            loop.execute { [client] in done.resume(returning: body(client)) }
        }
    }

    /// Waits for a connection.
    func connected() async -> Bool { await eventually { await !onLoop { $0.readyServers }.isEmpty } }

    /// Waits for the slots of a cluster.
    func knowsCluster() async -> Bool { await eventually { await onLoop { $0.masters }?.count == 3 } }

    func tier(_ change: (inout RedisTier.Options) -> Void = { _ in }) -> RedisTier {
        var options = RedisTier.Options()
        options.retainStale = 60_000
        options.deadline = 10 * Duration64.nanosecondsPerSecond
        options.writeDeadline = 10 * Duration64.nanosecondsPerSecond
        change(&options)
        return RedisTier(store: store, codec: RedisBench.codec, options: options, clock: SystemClock(), log: log)
    }

    static let codec = EntryCodec(compression: LZ4Compression(), checksum: XXH3Checksum(), limit: 8 << 20)

    static func deadline(milliseconds: Int64 = 10_000) -> Int64 {
        SystemClock().monotonic() + milliseconds * Duration64.nanosecondsPerMillisecond
    }

    func events(_ name: String) -> [String] {
        log.lines.filter { $0.event == name }.map { line in
            line.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        }
    }

    func ask(_ words: String...) async throws(KeyValueFailure) -> RedisReply {
        try await client.perform(RedisCommand(words.map { Bytes($0) }), deadline: RedisBench.deadline())
    }
}

/// Runs every check of the contract on a tier; what was wrong.
func contractFaults(_ tier: RedisTier, emptied: () async -> Void) async -> [String] {
    var faults: [String] = []
    for check in TierContract.all {
        await emptied()
        faults += await check.violations(tier, SystemClock().wall()).map { "\(check): \($0)" }
    }
    return faults
}

/// Many tasks that write and read entries whose content says which key they belong to, until told to stop.
struct RedisLoad {
    struct Totals: Sendable {
        var hits = 0
        var misses = 0
        var writes = 0
        /// Answers that are not what was written under the key.
        var wrong: [String] = []
    }

    private let traffic: Traffic
    private let task: Task<Void, Never>

    init(_ tier: RedisTier, seed: UInt64 = UInt64.random(in: 0..<1 << 32)) {
        print("RedisLoad: seed \(seed)")
        let traffic = Traffic(tier)
        self.traffic = traffic
        task = Task.detached {
            await withTaskGroup { group in
                for worker: UInt64 in 0..<16 { group.addTask { await traffic.run(seed: seed &+ worker) } }
            }
        }
    }

    var now: Totals { traffic.totals.withLock { $0 } }

    /// Waits until `more` further reads have found something.
    func hits(more: Int) async -> Bool {
        let before = now.hits
        return await eventually { now.hits >= before + more }
    }

    /// Ends it; every call that was under way has ended then.
    func stop() async -> Totals {
        traffic.isOver.store(true, ordering: .relaxed)
        await task.value
        return now
    }
}

private final class Traffic: Sendable {
    let totals = Mutex(RedisLoad.Totals())
    let isOver = Atomic(false)
    private let tier: RedisTier

    init(_ tier: RedisTier) { self.tier = tier }

    /// Keys and contents are this seed's own.
    func run(seed: UInt64) async {
        var random = SeededRandom(seed: seed)
        while !isOver.load(ordering: .relaxed) {
            let number = random.next() % 128
            let key = CacheKey(number &* 0x9E37_79B9_7F4A_7C15, number, seed, 1)
            let content = "\(seed)/\(number)/" + String(repeating: "x", count: Int(number) * 8)
            if random.next() % 4 == 0 {
                let facts = Entry.Facts(createdAt: SystemClock().wall(), ttl: 60_000, dialect: .chat, origin: .whole)
                await tier.store(Entry(facts: facts, whole: Bytes(content), stream: nil), under: key)
                totals.withLock { $0.writes += 1 }
            } else {
                count(await tier.find(key), content)
            }
            // The servers, the proxy and other tests share the machine with it.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    private func count(_ found: Entry?, _ content: String) {
        let text = found?.content(.whole).map { String(decoding: $0, as: UTF8.self) }
        totals.withLock { totals in
            switch text {
            case nil: totals.misses += 1
            case content: totals.hits += 1
            default: totals.wrong.append("\(content.prefix(20)): \(text?.prefix(20) ?? "")")
            }
        }
    }
}
