/// The reference page of the metrics, rendered from the table: `docs/metrics.md`.
package enum MetricsReference {
    package static func markdown() -> String {
        var result = """
            # Metrics

            Written by `make docs` from the table of metrics; edit the table, not this page.

            The admin port serves these under `/metrics` in the Prometheus text format, version 0.0.4. Every label has
            a closed set of values, or those that the settings name, so the number of series does not depend on what
            clients send. Histograms have
            buckets from 10 µs to 100 s; the quantiles of `refrain stats` come from a finer scale and are within 5 %.


            """
        for metric in MetricsTable.all {
            result += "## `\(metric.name)`\n\n\(metric.sentence)\n\n"
            result += "- Type: \(metric.kind.rawValue)" + (metric.unit.isEmpty ? "" : ", in \(metric.unit)") + "\n"
            for label in metric.labels {
                var values = label.values.map { "`\($0)`" }
                if !label.others.isEmpty { values.append(label.others) }
                result += "- Label `\(label.name)`:"
                if label.sentences.isEmpty {
                    result += " " + values.joined(separator: ", ") + "\n"
                } else {
                    result += "\n" + zip(values, label.sentences).map { "  - \($0): \($1)\n" }.joined()
                }
            }
            result += "\n"
        }
        return String(result.dropLast())
    }
}
