import Core

/// The sums of the last hour, one sample every few seconds, so that a dashboard has curves when it is opened.
struct StatsHistory {
    private struct Sample {
        /// In milliseconds since 1970.
        let time: Int64
        /// Requests by outcome, then hits by tier, in the order of the labels.
        let counts: [Double]
        let costUSD: Double
    }

    private var samples: [Sample] = []
    /// When the next one is due, in nanoseconds.
    private var due: Int64 = 0

    /// In seconds.
    static let interval: Int64 = 5
    private static let mostSamples = 720

    /// Takes a sample if it is time; `now` in nanoseconds, `wall` in milliseconds since 1970.
    mutating func sample(_ registry: MetricsRegistry, now: Int64, wall: Int64) {
        guard now >= due else { return }
        due = now + StatsHistory.interval * Duration64.nanosecondsPerSecond
        var counts = Array(repeating: 0.0, count: Outcome.Kind.allCases.count + TierName.allCases.count)
        for (series, value) in registry.values(of: .requests) { counts[series % Outcome.Kind.allCases.count] += value }
        for (series, value) in registry.values(of: .tierLookups) {
            let (tier, result) = series.quotientAndRemainder(dividingBy: LookupResult.allCases.count)
            if result == LookupResult.hit.labelIndex { counts[Outcome.Kind.allCases.count + tier] += value }
        }
        if samples.count == StatsHistory.mostSamples { samples.removeFirst() }
        let cost = registry.values(of: .savedCost).reduce(0) { $0 + $1.value }
        samples.append(Sample(time: wall, counts: counts, costUSD: cost))
    }

    /// A table: the names of its columns, and a row for each sample, oldest first. All but `time` are sums since the
    /// start.
    func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("intervalSeconds", StatsHistory.interval)
        writer.member(
            "columns",
            ["time"] + Outcome.Kind.allCases.map(\.labelWord) + TierName.allCases.map { "tier-" + $0.labelWord }
                + ["savedUSD"])
        writer.name("rows")
        writer.beginArray()
        for sample in samples {
            writer.beginArray()
            writer.value(sample.time)
            for count in sample.counts { writer.value(Int64(count)) }
            writer.value(sample.costUSD)
            writer.endArray()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
