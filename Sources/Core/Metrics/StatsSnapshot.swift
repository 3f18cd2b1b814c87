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
        package var misses: Int
        /// The share of look-ups that found a fresh answer; absent before the first one.
        package var hitShare: Double?
        /// What it holds, absent where it does not say.
        package var entries: Int?
        package var bytes: Int?
        package var capacity: Int?
        /// Absent for memory.
        package var lower: LowerTierStats?
    }

    /// What only the tiers outside the process have.
    package struct LowerTierStats: Sendable, Equatable, Codable {
        /// Of look-ups, in seconds; absent before the first one.
        package var p50: Double?
        package var p99: Double?
        package var stored: Int
        package var refused: Int
        package var failed: Int
        package var failures: Int
        package var breaker: String
        /// Answers that wait to be written, their bytes, and how many were given up.
        package var queued: Int
        package var queuedBytes: Int
        package var dropped: Int
    }

    /// One of the model servers.
    package struct UpstreamStats: Sendable, Equatable, Codable {
        package var name: String
        package var calls: Int
        /// Calls that did not end with a complete message whose status is below 500.
        package var failed: Int
        package var inflight: Int
        /// Calls that it is given at a time, now.
        package var limit: Int
        package var breaker: String
        /// Whether it answers its probes and is not left alone for doing worse than the others.
        package var healthy: Bool
        /// Time to the first byte in seconds; absent while too few calls were made.
        package var p95: Double?
        /// Calls that it is given a second at most, now; absent where there is no limit.
        package var ratePerSecond: Double?
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

    /// What was asked and saved under one name.
    package struct Usage: Sendable, Equatable, Codable {
        package var name: String
        /// Whether it stands for all names that are not told apart; absent where not.
        package var isRest: Bool?
        package var requests: Int
        /// Hits, semantic and stale ones included.
        package var hits: Int
        package var coalesced: Int
        package var misses: Int
        package var savedTokens: SavedTokens
        package var savedCostUSD: Double
    }

    /// What scheduled warming did since the start.
    package struct Warming: Sendable, Equatable, Codable {
        package var runs: Int
        /// When the last run ended, in seconds since 1970; absent before the first one.
        package var lastRun: Double?
        package var hits: Int
        package var asked: Int
        package var refreshed: Int
        package var failed: Int
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
    /// Requests by the class of their status.
    package var responses: [Count]
    package var bypass: [Count]
    package var notStored: [Count]
    package var upstream: [Count]
    package var upstreams: [UpstreamStats]
    /// Requests that wait for an upstream, by priority.
    package var queue: [Count]
    /// Requests that no upstream was asked for, by reason.
    package var shed: [Count]
    /// Calls that were made of upstreams for a request that had one already, by why.
    package var furtherCalls: [Count]
    /// Absent before the first call.
    package var upstreamLatency: Latency?
    /// Absent where only exact matches are served.
    package var semantic: SemanticStats?
    package var savedTokens: SavedTokens
    package var savedCostUSD: Double
    /// What clients would have waited longer, had every call been made: an estimate by the upstream's mean. Absent before
    /// the first call.
    package var savedSeconds: Double?
    /// Of cacheable requests, most requests first; the last row may stand for all names beyond those told apart.
    package var models: [Usage]
    package var tenants: [Usage]
    package var namespaces: [Usage]
    /// Absent where nothing is warmed.
    package var warming: Warming?
    package var inflightRequests: Int
    package var connections: Int
    package var flights: Int
}

extension StatsSnapshot {
    /// Reads everything once; `uptime` in nanoseconds.
    package init(_ registry: MetricsRegistry, uptime: Int64, usage: UsageReport = UsageReport()) {
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
        responses = registry.namedCounts(of: .responses)
        bypass = registry.namedCounts(of: .bypass)
        notStored = registry.namedCounts(of: .notStored)
        upstream = registry.upstreamResults()
        upstreams = registry.upstreams()
        queue = Priority.allCases.map { Count(name: $0.word, count: registry.reading(of: .queueDepth, $0) ?? 0) }
        shed = registry.shedCounts()
        furtherCalls = [
            Count(name: "retry", count: registry.total(of: .retries)),
            Count(name: "hedge", count: registry.total(of: .hedges)),
        ]
        upstreamLatency = Latency("upstream", registry.histogram(.upstreamDuration))
        semantic = SemanticStats(registry)
        let tokens = registry.namedCounts(of: .savedTokens)
        func saved(_ kind: TokenKind) -> Int { tokens.first { $0.name == kind.labelWord }?.count ?? 0 }
        savedTokens = SavedTokens(prompt: saved(.prompt), completion: saved(.completion))
        savedCostUSD = registry.values(of: .savedCost).reduce(0) { $0 + $1.value }
        savedSeconds = upstreamLatency.map { [latency] upstream in
            latency.filter { StatsSnapshot.saving.contains($0.outcome) }
                .reduce(0) { $0 + Double($1.count) * max(0, upstream.mean - $1.mean) }
        }
        models = usage.models.map(Usage.init)
        tenants = usage.tenants.map(Usage.init)
        namespaces = usage.namespaces.map(Usage.init)
        warming = Warming(registry)
        inflightRequests = registry.total(of: .inflightRequests)
        connections = registry.total(of: .httpConnections)
        flights = registry.total(of: .flights)
    }
}

extension StatsSnapshot {
    /// The outcomes that cost no call of their own.
    private static let saving = [Outcome.Kind.hit, .semantic, .stale, .coalesced].map(\.labelWord)
}

extension StatsSnapshot.Usage {
    fileprivate init(_ row: NameUsage) {
        self.init(
            name: row.name, isRest: row.isRest ? true : nil, requests: Int(clamping: row.requests),
            hits: Int(clamping: row.hits &+ row.semantic &+ row.stale), coalesced: Int(clamping: row.coalesced),
            misses: Int(clamping: row.misses),
            savedTokens: .init(
                prompt: Int(clamping: row.promptTokens), completion: Int(clamping: row.completionTokens)),
            savedCostUSD: Double(row.picodollars) / 1e12)
    }
}

extension StatsSnapshot.Latency {
    /// nil where nothing was counted.
    init?(_ outcome: String, _ reading: HistogramReading) {
        let count = reading.count
        guard count > 0 else { return nil }
        func seconds(_ fraction: Double) -> Double { Double(reading.quantile(fraction) ?? 0) / 1e9 }
        self.init(
            outcome: outcome, count: Int(count), mean: Double(reading.sumNanoseconds) / Double(count) / 1e9,
            p50: seconds(0.5), p90: seconds(0.9), p99: seconds(0.99))
    }
}

extension StatsSnapshot.Warming {
    /// nil where nobody tells of it.
    fileprivate init?(_ registry: MetricsRegistry) {
        guard let last = registry.values(of: .warmLastRun).first?.value else { return nil }
        func prompts(_ result: WarmPromptResult) -> Int { registry.count(of: .warmPrompts, [result.labelWord]) }
        self.init(
            runs: registry.total(of: .warmRuns), lastRun: last > 0 ? last : nil, hits: prompts(.hit),
            asked: prompts(.asked), refreshed: prompts(.refreshed), failed: prompts(.failed))
    }
}

extension StatsSnapshot.TierStats {
    /// nil where the tier was never asked and reports nothing of itself.
    fileprivate init?(_ tier: TierName, _ registry: MetricsRegistry) {
        let lookups = LookupResult.allCases.map { registry.count(of: .tierLookups, [tier.labelWord, $0.labelWord]) }
        let all = lookups.reduce(0, +)
        let entries = registry.reading(of: .entries, tier)
        let lower = StatsSnapshot.LowerTierStats(tier, registry)
        guard entries != nil || lower != nil || all > 0 else { return nil }
        func count(_ result: LookupResult) -> Int { lookups[result.labelIndex] }
        self.init(
            tier: tier.labelWord, lookups: all, hits: count(.hit), stale: count(.stale), misses: count(.miss),
            hitShare: all > 0 ? Double(count(.hit)) / Double(all) : nil, entries: entries,
            bytes: registry.reading(of: .tierBytes, tier), capacity: registry.reading(of: .tierCapacity, tier),
            lower: lower)
    }
}

extension StatsSnapshot.LowerTierStats {
    /// nil where the tier is not configured.
    fileprivate init?(_ tier: TierName, _ registry: MetricsRegistry) {
        guard let target = BreakerTarget(rawValue: tier.rawValue),
            let state = registry.reading(of: .breakerState, target)
        else { return nil }
        let durations = StatsSnapshot.Latency(
            tier.labelWord, registry.histogram(.tierDuration, series: tier.labelIndex))
        func writes(_ result: StoreResult) -> Int {
            registry.count(of: .tierWrites, [tier.labelWord, result.labelWord])
        }
        self.init(
            p50: durations?.p50, p99: durations?.p99, stored: writes(.stored), refused: writes(.refused),
            failed: writes(.failed), failures: registry.count(of: .tierFailures, [tier.labelWord]),
            breaker: BreakerState(rawValue: state)?.word ?? "",
            queued: registry.reading(of: .fillQueueDepth, tier) ?? 0,
            queuedBytes: registry.reading(of: .fillQueueBytes, tier) ?? 0,
            dropped: FillDrop.allCases.reduce(0) {
                $0 + registry.count(of: .fillDropped, [tier.labelWord, $1.labelWord])
            })
    }
}

extension MetricsRegistry {
    /// The series of a counter that are not zero.
    func counts(of name: MetricName) -> [(labels: [String], count: Int)] {
        values(of: name).compactMap { series, value in
            value > 0 ? (MetricsTable[name].labelValues(of: series), Int(clamping: value)) : nil
        }
    }

    /// One series of a counter.
    func count(of name: MetricName, _ labels: [String]) -> Int {
        counts(of: name).first { $0.labels == labels }?.count ?? 0
    }

    /// One series of a gauge, nil where nobody tells it.
    func reading(of name: MetricName, _ label: some MetricLabelValue) -> Int? {
        values(of: name).first { $0.series == label.labelIndex }.map { Int(clamping: $0.value) }
    }

    /// A gauge without labels, nil where nobody tells it.
    func reading(of name: MetricName) -> Int? { values(of: name).first.map { Int(clamping: $0.value) } }

    func namedCounts(of name: MetricName) -> [StatsSnapshot.Count] {
        counts(of: name).map { StatsSnapshot.Count(name: $0.labels[0], count: $0.count) }
    }

    func total(of name: MetricName) -> Int {
        Int(clamping: values(of: name).reduce(0) { $0 + $1.value })
    }
}

extension Int {
    /// The nearest representable number; a reader may return anything.
    init(clamping value: Double) {
        self = Int(exactly: value.rounded()) ?? (value.isNaN ? 0 : value < 0 ? .min : .max)
    }
}
