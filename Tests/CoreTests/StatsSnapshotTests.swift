import FoundationEssentials
import Testing

@testable import Core

@Suite struct StatsSnapshotTests {
    private func busyRegistry() -> MetricsRegistry {
        let registry = MetricsRegistry(version: "1.2.3")
        let block = registry.makeBlock()
        for _ in 0..<3 { block.countRequest(.chat, .hit, status: 200, duration: 20_000) }
        block.countRequest(.chat, .miss, status: 200, duration: 2_000_000_000)
        block.countRequest(.messages, .coalesced, status: 200, duration: 1_000_000_000)
        block.countRequest(.other, .bypass, status: 200, duration: 5_000_000)
        block.countBypass(.endpoint)
        block.countCoalesced()
        block.countLookup(.memory, .hit)
        block.countLookup(.memory, .miss)
        block.countNotStored(.incomplete)
        block.countUpstream(duration: 1_900_000_000)
        block.countSaved(promptTokens: 30, completionTokens: 60)
        registry.read(.entries, TierName.memory) { 1 }
        registry.read(.tierBytes, TierName.memory) { 2_048 }
        registry.read(.tierCapacity, TierName.memory) { 1e30 }
        registry.read(.inflightRequests) { .nan }
        return registry
    }

    @Test func addsUpWhatWasCounted() {
        let stats = StatsSnapshot(busyRegistry(), uptime: 1_500_000_000)
        #expect(stats.version == "1.2.3")
        #expect(stats.uptimeSeconds == 1.5)
        #expect(stats.hitRate == 0.8)
        #expect(stats.requests.map(\.count) == [3, 1, 1, 1])
        #expect(stats.requests.first == .init(endpoint: "chat", outcome: "hit", count: 3))
        #expect(stats.latency.map(\.outcome) == ["hit", "coalesced", "miss", "bypass"])
        #expect(abs((stats.latency.first?.p50 ?? 0) - 20e-6) <= 1e-6)
        #expect(
            stats.tiers == [
                .init(
                    tier: "memory", lookups: 2, hits: 1, stale: 0, misses: 1, hitShare: 0.5, entries: 1, bytes: 2_048,
                    capacity: .max)
            ])
        #expect(stats.bypass == [.init(name: "endpoint", count: 1)])
        #expect(stats.savedTokens == .init(prompt: 30, completion: 60))
        #expect(stats.upstreamLatency?.count == 1)
        #expect(stats.inflightRequests == 0)
    }

    @Test func tellsOfUpstreams() {
        let registry = MetricsRegistry(version: "1")
        registry.readNamed(.upstreamRequests) {
            [
                (["one", "ok"], 5), (["one", "client-error"], 1), (["one", "timeout"], 2), (["two", "ok"], 4),
                (["gone", "ok"], 1),
            ]
        }
        registry.readNamed(.upstreamLimit) { [(["one"], 8), (["two"], 16)] }
        registry.readNamed(.upstreamInflight) { [(["one"], 3), (["two"], 0)] }
        registry.readNamed(.upstreamHealthy) { [(["one"], 0), (["two"], 1)] }
        registry.readNamed(.breakerState) { [(["one"], 2), (["two"], 0)] }
        registry.readNamed(.upstreamLatency) { [(["two"], 0.5)] }
        registry.readNamed(.upstreamRate) { [(["one"], 2.5)] }
        registry.read(.queueDepth, Priority.batch) { 7 }
        registry.read(.shed, ShedReason.deadline, Priority.batch) { 2 }
        registry.read(.shed, ShedReason.deadline, Priority.standard) { 1 }
        registry.read(.hedges) { 9 }
        let stats = StatsSnapshot(registry, uptime: 0)
        #expect(
            stats.upstreams == [
                .init(
                    name: "one", calls: 8, failed: 2, inflight: 3, limit: 8, breaker: "open", healthy: false, p95: nil,
                    ratePerSecond: 2.5),
                .init(
                    name: "two", calls: 4, failed: 0, inflight: 0, limit: 16, breaker: "closed", healthy: true,
                    p95: 0.5, ratePerSecond: nil),
            ])
        #expect(
            stats.upstream == [
                .init(name: "ok", count: 10), .init(name: "client-error", count: 1), .init(name: "timeout", count: 2),
            ])
        #expect(stats.queue.map(\.count) == [0, 0, 7])
        #expect(stats.shed == [.init(name: "deadline", count: 3)])
        #expect(stats.furtherCalls == [.init(name: "retry", count: 0), .init(name: "hedge", count: 9)])
    }

    /// A registry in which Redis was used, and the object tier is configured and was not yet.
    private func tieredRegistry() -> MetricsRegistry {
        let registry = MetricsRegistry(version: "1")
        let block = registry.makeBlock()
        for _ in 0..<3 { block.countLookup(.redis, .hit) }
        block.countLookup(.redis, .stale)
        for _ in 0..<4 { block.countLookup(.redis, .miss) }
        for _ in 0..<8 { block.countTierDuration(.redis, nanoseconds: 100_000) }
        registry.read(.breakerState, BreakerTarget.redis) { 2 }
        registry.read(.tierFailures, TierName.redis) { 9 }
        for (result, count) in zip(StoreResult.allCases, [5.0, 6, 7]) {
            registry.read(.tierWrites, TierName.redis, result) { count }
        }
        registry.read(.fillQueueDepth, TierName.redis) { 11 }
        registry.read(.fillQueueBytes, TierName.redis) { 4_096 }
        for reason in FillDrop.allCases { registry.read(.fillDropped, TierName.redis, reason) { 4 } }
        registry.read(.breakerState, BreakerTarget.objects) { 0 }
        return registry
    }

    @Test func lowerTiersTellWhatTheyDid() throws {
        let stats = StatsSnapshot(tieredRegistry(), uptime: 0)
        #expect(stats.tiers.map(\.tier) == ["redis", "objects"])
        let redis = stats.tiers[0]
        #expect([redis.lookups, redis.hits, redis.stale, redis.misses] == [8, 3, 1, 4])
        #expect(redis.hitShare == 0.375 && redis.entries == nil && redis.capacity == nil)
        let lower = try #require(redis.lower)
        #expect(abs((lower.p50 ?? 0) - 1e-4) < 1e-5 && abs((lower.p99 ?? 0) - 1e-4) < 1e-5)
        #expect([lower.stored, lower.refused, lower.failed, lower.failures] == [5, 6, 7, 9])
        #expect([lower.queued, lower.queuedBytes, lower.dropped] == [11, 4_096, 12])
        #expect(lower.breaker == "open")
        let idle = stats.tiers[1]
        #expect(idle.hitShare == nil && idle.lower?.breaker == "closed" && idle.lower?.p99 == nil)
    }

    private func usage() -> UsageReport {
        var tally = UsageTally(prices: ModelPrices(own: []))
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        for number in 0..<100 {
            _ = tally.count(
                .hit, key: CacheKey(1, 2, 3, 4), tenant: CacheKey(UInt64(number), 0, 0, 0), model: none,
                namespace: none,
                saved: (1, 2))
        }
        return UsageReport([tally])
    }

    @Test func namesAreBoundedAndAddUp() {
        let stats = StatsSnapshot(busyRegistry(), uptime: 0, usage: usage())
        #expect(
            stats.models.map(\.requests) == [100] && stats.models[0].savedTokens == .init(prompt: 100, completion: 200))
        #expect(stats.tenants.map(\.isRest) == [Bool?](repeating: nil, count: 64) + [true])
        #expect(stats.tenants.count == 65 && stats.tenants.reduce(0) { $0 + $1.hits } == 100)
    }

    @Test func savedTimeIsWhatCallsWouldHaveTaken() {
        let stats = StatsSnapshot(busyRegistry(), uptime: 0)
        // Three hits of 20 µs and one follower of a second, where a call takes 1.9 s.
        #expect(abs((stats.savedSeconds ?? 0) - (3 * 1.9 + 0.9)) < 0.01)
    }

    @Test func warmingIsToldWhereThereIsSome() throws {
        let registry = MetricsRegistry(version: "1")
        #expect(StatsSnapshot(registry, uptime: 0).warming == nil)
        registry.read(.warmLastRun) { 0 }
        #expect(StatsSnapshot(registry, uptime: 0).warming?.lastRun == nil)
        registry.read(.warmLastRun) { 1_700_000_000.5 }
        for (end, count) in zip(WarmRunEnd.allCases, [3.0, 1, 1, 0, 0]) { registry.read(.warmRuns, end) { count } }
        for (result, count) in zip(WarmPromptResult.allCases, [7.0, 8, 9, 10]) {
            registry.read(.warmPrompts, result) { count }
        }
        let stats = StatsSnapshot(registry, uptime: 0)
        #expect(stats.warming == .init(runs: 5, lastRun: 1_700_000_000.5, hits: 7, asked: 8, refreshed: 9, failed: 10))
        #expect(try JSONDecoder().decode(StatsSnapshot.self, from: Data(stats.json())) == stats)
    }

    @Test(arguments: [
        (100, "2xx"), (204, "2xx"), (304, "3xx"), (404, "4xx"), (499, "4xx"), (500, "5xx"), (900, "5xx"),
    ])
    func statusesHaveAClass(status: Int, word: String) {
        #expect(StatusClass(status: status).labelWord == word)
        #expect(StatusClass.allCases[StatusClass(status: status).labelIndex].labelWord == word)
    }

    @Test func anIdleSidecarHasNoRates() {
        let stats = StatsSnapshot(MetricsRegistry(version: "x"), uptime: 0)
        #expect(stats.hitRate == nil)
        #expect(stats.upstreamLatency == nil && stats.savedSeconds == nil && stats.savedCostUSD == 0)
        #expect(stats.requests.isEmpty && stats.latency.isEmpty && stats.tiers.isEmpty)
    }

    @Test func readsBackFromItsJSON() throws {
        for stats in [
            StatsSnapshot(busyRegistry(), uptime: 123, usage: usage()), StatsSnapshot(tieredRegistry(), uptime: 0),
            StatsSnapshot(MetricsRegistry(version: "\"é\n"), uptime: 0),
        ] {
            #expect(try JSONDecoder().decode(StatsSnapshot.self, from: Data(stats.json())) == stats)
        }
    }
}
