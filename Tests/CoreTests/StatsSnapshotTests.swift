import FoundationEssentials
import Testing

@testable import Core

@Suite struct StatsSnapshotTests {
    private func busyRegistry() -> MetricsRegistry {
        let registry = MetricsRegistry(version: "1.2.3")
        let block = registry.makeBlock()
        for _ in 0..<3 { block.countRequest(.chat, .hit, duration: 20_000) }
        block.countRequest(.chat, .miss, duration: 2_000_000_000)
        block.countRequest(.messages, .coalesced, duration: 1_000_000_000)
        block.countRequest(.other, .bypass, duration: 5_000_000)
        block.countBypass(.endpoint)
        block.countCoalesced()
        block.countLookup(.memory, .hit)
        block.countLookup(.memory, .miss)
        block.countNotStored(.incomplete)
        block.countUpstream(.ok, duration: 1_900_000_000)
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
                .init(tier: "memory", lookups: 2, hits: 1, stale: 0, entries: 1, bytes: 2_048, capacity: .max)
            ])
        #expect(stats.bypass == [.init(name: "endpoint", count: 1)])
        #expect(stats.savedTokens == .init(prompt: 30, completion: 60))
        #expect(stats.upstreamLatency?.count == 1)
        #expect(stats.inflightRequests == 0)
    }

    @Test func anIdleSidecarHasNoRates() {
        let stats = StatsSnapshot(MetricsRegistry(version: "x"), uptime: 0)
        #expect(stats.hitRate == nil)
        #expect(stats.upstreamLatency == nil)
        #expect(stats.requests.isEmpty && stats.latency.isEmpty && stats.tiers.isEmpty)
    }

    @Test func readsBackFromItsJSON() throws {
        for stats in [
            StatsSnapshot(busyRegistry(), uptime: 123), StatsSnapshot(MetricsRegistry(version: "\"é\n"), uptime: 0),
        ] {
            #expect(try JSONDecoder().decode(StatsSnapshot.self, from: Data(stats.json())) == stats)
        }
    }
}
