import Synchronization

/// All blocks of counters and all readers of gauges of one process; what a scrape reads.
package final class MetricsRegistry: Sendable {
    package typealias Reader = @Sendable () -> Double
    /// The series whose labels the settings name: their values of all labels, in order.
    package typealias NamedReader = @Sendable () -> [(labels: [String], value: Double)]

    private struct Sources {
        var blocks: [MetricsBlock] = []
        /// By metric, then by series; registering a series again replaces its reader.
        var readers: [MetricName: [Int: Reader]] = [:]
        var namedReaders: [MetricName: NamedReader] = [:]
    }

    private let sources = Mutex(Sources())
    /// The value of the label `version` of `refrain_build_info`.
    package let version: String

    package init(version: String) { self.version = version }

    /// The counters for a new worker, summed into every later reading.
    package func makeBlock() -> MetricsBlock {
        let block = MetricsBlock()
        sources.withLock { $0.blocks.append(block) }
        return block
    }

    /// Has a metric without labels read through a closure, which may be called on any thread.
    package func read(_ metric: MetricName, _ reader: @escaping Reader) {
        precondition(MetricsTable[metric].labels.isEmpty, "\(MetricsTable[metric].name) has a label: give its value")
        register(metric, series: 0, reader)
    }

    /// Has one series of a metric with one label read through a closure, which may be called on any thread.
    package func read<Value: MetricLabelValue>(_ metric: MetricName, _ value: Value, _ reader: @escaping Reader) {
        let labels = MetricsTable[metric].labels
        precondition(
            labels.count == 1 && labels[0].values == Value.allCases.map(\.labelWord),
            "\(MetricsTable[metric].name) is not labelled with \(Value.self)")
        register(metric, series: value.labelIndex, reader)
    }

    /// Has one series of a metric with two labels read through a closure, which may be called on any thread.
    package func read<First: MetricLabelValue, Second: MetricLabelValue>(
        _ metric: MetricName, _ first: First, _ second: Second, _ reader: @escaping Reader
    ) {
        let labels = MetricsTable[metric].labels
        precondition(
            labels.map(\.values) == [First.allCases.map(\.labelWord), Second.allCases.map(\.labelWord)],
            "\(MetricsTable[metric].name) is not labelled with \(First.self) and \(Second.self)")
        register(metric, series: first.labelIndex * Second.allCases.count + second.labelIndex, reader)
    }

    /// Has the series of a metric that the settings name read through a closure, which may be called on any thread.
    package func readNamed(_ metric: MetricName, _ reader: @escaping NamedReader) {
        precondition(
            MetricsTable[metric].labels.contains { !$0.others.isEmpty },
            "\(MetricsTable[metric].name) has no label that the settings name")
        sources.withLock { $0.namedReaders[metric] = reader }
    }

    private func register(_ metric: MetricName, series: Int, _ reader: @escaping Reader) {
        precondition(MetricsTable[metric].kind != .histogram, "\(MetricsTable[metric].name) is counted in blocks")
        sources.withLock { $0.readers[metric, default: [:]][series] = reader }
    }

    /// The values of a counter or gauge in the order of its series. Counted ones have all their series; of the
    /// others those that a reader was registered for.
    package func values(of metric: MetricName) -> [(series: Int, value: Double)] {
        let (blocks, readers) = sources.withLock { ($0.blocks, $0.readers[metric] ?? [:]) }
        // Readers run outside the lock: they may take locks of their own.
        var totals = readers.mapValues { $0() }
        let (seriesCount, step) = (MetricsTable[metric].seriesCount, MetricsTable[metric].step)
        for block in blocks {
            guard let counters = block.counters(of: metric) else { break }
            for series in 0..<seriesCount { totals[series, default: 0] += Double(counters[series]) * step }
        }
        return totals.sorted { $0.key < $1.key }.map { (series: $0.key, value: $0.value) }
    }

    /// The values of the series that the settings name.
    package func namedValues(of metric: MetricName) -> [(labels: [String], value: Double)] {
        sources.withLock { $0.namedReaders[metric] }?() ?? []
    }

    /// One series of a histogram, summed over all blocks.
    package func histogram(_ metric: MetricName, series: Int = 0) -> HistogramReading {
        var reading = HistogramReading()
        for block in sources.withLock({ $0.blocks }) {
            guard block.read(metric, series: series, into: &reading) else { break }
        }
        return reading
    }
}
