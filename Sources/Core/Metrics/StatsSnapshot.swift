/// What a running sidecar tells people of itself: the answer of `/api/stats`, which `refrain stats` shows.
package struct StatsSnapshot: Sendable, Equatable, Codable {
    package struct Requests: Sendable, Equatable, Codable {
        package var endpoint: String
        package var outcome: String
        package var count: Int
    }

    /// Durations in seconds.
    package struct Latency: Sendable, Equatable, Codable {
        package var outcome: String
        package var count: Int
        package var mean: Double
        package var p50: Double
        package var p90: Double
        package var p99: Double
    }

    package struct TierStats: Sendable, Equatable, Codable {
        package var tier: String
        package var lookups: Int
        package var hits: Int
        package var stale: Int
        package var entries: Int
        package var bytes: Int
        package var capacity: Int
    }

    /// One value of a metric with a single label.
    package struct Count: Sendable, Equatable, Codable {
        package var name: String
        package var count: Int
    }

    package struct SavedTokens: Sendable, Equatable, Codable {
        package var prompt: Int
        package var completion: Int
    }

    package var version: String
    package var uptimeSeconds: Double
    /// Only those that happened.
    package var requests: [Requests]
    /// The share of cacheable requests that cost no call of their own; absent before the first one.
    package var hitRate: Double?
    package var coalesced: Int
    package var latency: [Latency]
    /// Only those that are in use.
    package var tiers: [TierStats]
    package var evictions: [Count]
    package var bypass: [Count]
    package var notStored: [Count]
    package var upstream: [Count]
    /// Absent before the first call.
    package var upstreamLatency: Latency?
    package var savedTokens: SavedTokens
    package var inflightRequests: Int
    package var connections: Int
    package var flights: Int
}

extension StatsSnapshot {
    /// Reads everything once; `uptime` in nanoseconds.
    package init(_ registry: MetricsRegistry, uptime: Int64) {
        version = registry.version
        uptimeSeconds = Double(uptime) / 1e9
        requests = registry.counts(of: .requests).map { labels, count in
            Requests(endpoint: labels[0], outcome: labels[1], count: count)
        }
        let bypassed = Outcome.Kind.bypass.labelWord
        let cacheable = requests.filter { $0.outcome != bypassed }.reduce(0) { $0 + $1.count }
        let missed = requests.filter { $0.outcome == Outcome.Kind.miss.labelWord }.reduce(0) { $0 + $1.count }
        hitRate = cacheable > 0 ? Double(cacheable - missed) / Double(cacheable) : nil
        coalesced = registry.total(of: .coalesced)
        latency = Outcome.Kind.allCases.compactMap { kind in
            Latency(kind.labelWord, registry.histogram(.requestDuration, series: kind.labelIndex))
        }
        tiers = TierName.allCases.compactMap { TierStats($0, registry) }
        evictions = registry.namedCounts(of: .evictions)
        bypass = registry.namedCounts(of: .bypass)
        notStored = registry.namedCounts(of: .notStored)
        upstream = registry.namedCounts(of: .upstreamRequests)
        upstreamLatency = Latency("upstream", registry.histogram(.upstreamDuration))
        let tokens = registry.namedCounts(of: .savedTokens)
        func saved(_ kind: TokenKind) -> Int { tokens.first { $0.name == kind.labelWord }?.count ?? 0 }
        savedTokens = SavedTokens(prompt: saved(.prompt), completion: saved(.completion))
        inflightRequests = registry.total(of: .inflightRequests)
        connections = registry.total(of: .httpConnections)
        flights = registry.total(of: .flights)
    }
}

extension StatsSnapshot.Latency {
    /// nil where nothing was counted.
    fileprivate init?(_ outcome: String, _ reading: HistogramReading) {
        let count = reading.count
        guard count > 0 else { return nil }
        func seconds(_ fraction: Double) -> Double { Double(reading.quantile(fraction) ?? 0) / 1e9 }
        self.init(
            outcome: outcome, count: Int(count), mean: Double(reading.sumNanoseconds) / Double(count) / 1e9,
            p50: seconds(0.5), p90: seconds(0.9), p99: seconds(0.99))
    }
}

extension StatsSnapshot.TierStats {
    /// nil where the tier was never asked and reports nothing of itself.
    fileprivate init?(_ tier: TierName, _ registry: MetricsRegistry) {
        func lookups(_ result: LookupResult) -> Int {
            registry.counts(of: .tierLookups).first { $0.labels == [tier.labelWord, result.labelWord] }?.count ?? 0
        }
        func reading(_ metric: MetricName) -> Int? {
            registry.values(of: metric).first { $0.series == tier.labelIndex }.map { Int(clamping: $0.value) }
        }
        let all = LookupResult.allCases.map(lookups)
        let entries = reading(.entries)
        guard entries != nil || all.contains(where: { $0 > 0 }) else { return nil }
        self.init(
            tier: tier.labelWord, lookups: all.reduce(0, +), hits: lookups(.hit), stale: lookups(.stale),
            entries: entries ?? 0, bytes: reading(.tierBytes) ?? 0, capacity: reading(.tierCapacity) ?? 0)
    }
}

extension MetricsRegistry {
    /// The series of a counter that are not zero.
    fileprivate func counts(of name: MetricName) -> [(labels: [String], count: Int)] {
        values(of: name).compactMap { series, value in
            value > 0 ? (MetricsTable[name].labelValues(of: series), Int(clamping: value)) : nil
        }
    }

    fileprivate func namedCounts(of name: MetricName) -> [StatsSnapshot.Count] {
        counts(of: name).map { StatsSnapshot.Count(name: $0.labels[0], count: $0.count) }
    }

    fileprivate func total(of name: MetricName) -> Int {
        Int(clamping: values(of: name).reduce(0) { $0 + $1.value })
    }
}

extension Int {
    /// The nearest representable number; a reader may return anything.
    fileprivate init(clamping value: Double) {
        self = Int(exactly: value.rounded()) ?? (value.isNaN ? 0 : value < 0 ? .min : .max)
    }
}
