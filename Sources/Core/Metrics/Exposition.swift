/// The Prometheus text format, version 0.0.4.
package enum Exposition {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Upper bounds of the buckets of every duration, in nanoseconds: 10 µs to 100 s. All lie on edges of
    /// `HistogramScale`, so the counts are exact.
    package static let bounds: [Int64] = {
        var bounds: [Int64] = []
        var decade: Int64 = 10_000
        while decade < 100_000_000_000 {
            bounds += [decade, decade * 5 / 2, decade * 5]
            decade *= 10
        }
        return bounds + [decade]
    }()

    /// Everything the registry knows at this moment.
    package static func text(_ registry: MetricsRegistry) -> String {
        var result = ""
        for name in MetricName.allCases {
            let metric = MetricsTable[name]
            let samples =
                metric.kind == .histogram
                ? histogram(name, metric, registry) : plain(name, metric, registry)
            guard !samples.isEmpty else { continue }
            result += "# HELP \(metric.name) \(escapedHelp(metric.sentence))\n"
            result += "# TYPE \(metric.name) \(metric.kind.rawValue)\n"
            result += samples
        }
        return result
    }

    private static func plain(_ name: MetricName, _ metric: Metric, _ registry: MetricsRegistry) -> String {
        if name == .buildInfo { return "\(metric.name){version=\"\(escapedLabel(registry.version))\"} 1\n" }
        var result = ""
        for (series, value) in registry.values(of: name) {
            result += metric.name + braces(labels(metric, series)) + " \(number(value))\n"
        }
        for (values, value) in registry.namedValues(of: name) {
            result += metric.name + braces(labels(metric, values)) + " \(number(value))\n"
        }
        return result
    }

    private static func histogram(_ name: MetricName, _ metric: Metric, _ registry: MetricsRegistry) -> String {
        var result = ""
        for series in 0..<metric.seriesCount {
            let reading = registry.histogram(name, series: series)
            let own = labels(metric, series)
            for bound in bounds {
                let line = braces(own + ["le=\"\(seconds(nanoseconds: UInt64(bound)))\""])
                result += "\(metric.name)_bucket\(line) \(reading.count(upTo: bound))\n"
            }
            result += "\(metric.name)_bucket\(braces(own + ["le=\"+Inf\""])) \(reading.count)\n"
            result += "\(metric.name)_sum\(braces(own)) \(seconds(nanoseconds: reading.sumNanoseconds))\n"
            result += "\(metric.name)_count\(braces(own)) \(reading.count)\n"
        }
        return result
    }

    private static func labels(_ metric: Metric, _ series: Int) -> [String] {
        labels(metric, metric.labelValues(of: series))
    }

    private static func labels(_ metric: Metric, _ values: [String]) -> [String] {
        zip(metric.labels, values).map { "\($0.name)=\"\(escapedLabel($1))\"" }
    }

    private static func braces(_ labels: [String]) -> String {
        labels.isEmpty ? "" : "{" + labels.joined(separator: ",") + "}"
    }

    /// Seconds as an exact decimal fraction.
    static func seconds(nanoseconds: UInt64) -> String {
        let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard rest > 0 else { return String(whole) }
        var digits = String(rest)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    /// Whole numbers without a fraction, others in Swift's shortest form, which the format accepts.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }

    static func escapedLabel(_ text: String) -> String { escaped(text, quotes: true) }
    static func escapedHelp(_ text: String) -> String { escaped(text, quotes: false) }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
