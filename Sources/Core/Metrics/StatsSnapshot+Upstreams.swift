extension MetricsRegistry {
    /// Calls to all upstreams together, by how they ended; only what happened.
    func upstreamResults() -> [StatsSnapshot.Count] {
        let rows = namedValues(of: .upstreamRequests)
        return UpstreamResult.allCases.map(\.labelWord).compactMap { word in
            let count = rows.filter { $0.labels[1] == word }.reduce(0) { $0 + Int(clamping: $1.value) }
            return count > 0 ? StatsSnapshot.Count(name: word, count: count) : nil
        }
    }

    func upstreams() -> [StatsSnapshot.UpstreamStats] {
        let calls = namedValues(of: .upstreamRequests)
        let fine = [UpstreamResult.ok, .clientError].map(\.labelWord)
        let breakers = namedValues(of: .breakerState)
        let healths = namedValues(of: .upstreamHealthy)
        let inflights = namedValues(of: .upstreamInflight)
        let latencies = namedValues(of: .upstreamLatency)
        let rates = namedValues(of: .upstreamRate)
        func value(_ rows: [(labels: [String], value: Double)], _ name: String) -> Double? {
            rows.first { $0.labels[0] == name }?.value
        }
        return namedValues(of: .upstreamLimit).map { labels, limit in
            let name = labels[0]
            let own = calls.filter { $0.labels[0] == name }
            let state = value(breakers, name).flatMap { BreakerState(rawValue: Int(clamping: $0)) }
            return StatsSnapshot.UpstreamStats(
                name: name, calls: own.reduce(0) { $0 + Int(clamping: $1.value) },
                failed: own.filter { !fine.contains($0.labels[1]) }.reduce(0) { $0 + Int(clamping: $1.value) },
                inflight: Int(clamping: value(inflights, name) ?? 0), limit: Int(clamping: limit),
                breaker: state?.word ?? "", healthy: value(healths, name) != 0, p95: value(latencies, name),
                ratePerSecond: value(rates, name))
        }
    }

    /// By reason, of all priorities together; only what happened.
    func shedCounts() -> [StatsSnapshot.Count] {
        let rows = counts(of: .shed)
        return ShedReason.allCases.compactMap { reason in
            let count = rows.filter { $0.labels[0] == reason.word }.reduce(0) { $0 + $1.count }
            return count > 0 ? StatsSnapshot.Count(name: reason.word, count: count) : nil
        }
    }
}

extension JSONWriter {
    mutating func write(_ upstream: StatsSnapshot.UpstreamStats) {
        member("name", upstream.name)
        member("calls", upstream.calls)
        member("failed", upstream.failed)
        member("inflight", upstream.inflight)
        member("limit", upstream.limit)
        member("breaker", upstream.breaker)
        member("healthy", upstream.healthy)
        if let p95 = upstream.p95 { member("p95", p95) }
        if let rate = upstream.ratePerSecond { member("ratePerSecond", rate) }
    }
}
