import Synchronization

extension MetricsTable {
    static func ofUpstreams(_ name: MetricName) -> Metric {
        let upstream = Metric.Label("upstream", named: "the names of upstreams")
        let priority = Metric.Label("priority", Priority.self)
        return switch name {
        case .upstreamRequests:
            Metric(
                "refrain_upstream_requests_total", .counter, "calls", [upstream, .init("result", UpstreamResult.self)],
                "Calls to an upstream, by how they ended.")
        case .upstreamDuration:
            Metric(
                "refrain_upstream_duration_seconds", .histogram, "seconds", [],
                "Time from the start of a call to an upstream to its end.")
        case .upstreamInflight:
            Metric("refrain_upstream_inflight", .gauge, "calls", [upstream], "Calls to an upstream that are under way.")
        case .upstreamLimit:
            Metric(
                "refrain_upstream_limit", .gauge, "calls", [upstream], "Calls that an upstream is given at a time, now."
            )
        case .upstreamLatency:
            Metric(
                "refrain_upstream_latency_seconds", .gauge, "seconds", [upstream],
                "Time to the first byte of an answer that 95 of 100 calls of late stayed under.")
        case .upstreamRate:
            Metric(
                "refrain_upstream_rate", .gauge, "calls per second", [upstream],
                "Calls that an upstream is given a second at most, now. Absent where there is no limit.")
        case .upstreamHealthy:
            Metric(
                "refrain_upstream_healthy", .gauge, "", [upstream],
                "Whether an upstream answers its probes and is not left alone for doing worse than the others: 1 yes, 0 no."
            )
        case .queueDepth:
            Metric(
                "refrain_queue_depth", .gauge, "requests", [priority],
                "Requests that wait for an upstream, by priority.")
        case .shed:
            Metric(
                "refrain_shed_total", .counter, "requests", [.init("reason", ShedReason.self), priority],
                "Requests that were not put to an upstream, or not once more, by reason and priority.")
        case .retries:
            Metric(
                "refrain_retries_total", .counter, "calls", [],
                "Calls made once more, elsewhere, after one that failed.")
        default:
            Metric(
                "refrain_hedges_total", .counter, "calls", [],
                "Calls made beside one that took longer than most (`limits.hedge`).")
        }
    }
}

extension Priority: MetricLabelValue {
    package var labelWord: String { word }
    package var labelIndex: Int { rawValue }
}

extension ShedReason: MetricLabelValue {
    package var labelSentence: String? { sentence }
}

/// The counters of all upstreams by name; those of an upstream that a reload took out stay.
package final class UpstreamCounts: Sendable {
    private let known = Mutex<[(name: String, counters: UpstreamCounters)]>([])

    package init() {}

    package func counters(of name: String) -> UpstreamCounters {
        known.withLock { known in
            if let row = known.first(where: { $0.name == name }) { return row.counters }
            let counters = UpstreamCounters()
            known.append((name, counters))
            return counters
        }
    }

    /// For `MetricsRegistry.readNamed`.
    package var samples: [(labels: [String], value: Double)] {
        known.withLock { $0 }.flatMap { name, counters in
            zip(UpstreamResult.allCases, counters.values).map { ([name, $0.labelWord], Double($1)) }
        }
    }
}

/// Counts the calls to one upstream by how they ended; all workers share it.
package final class UpstreamCounters: Sendable {
    private let results = CounterRow<32>()

    package init() {}

    package func count(_ result: UpstreamResult) { results.add(at: result.labelIndex) }

    /// In the order of `UpstreamResult.allCases`.
    package var values: [UInt64] { Array(results.values.prefix(UpstreamResult.allCases.count)) }
}
