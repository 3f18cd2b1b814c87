import Core
import Dialects

/// What a replay saw.
struct ReplayReport {
    struct Call {
        /// The word of `x-refrain-cache`; nil: the answer did not come through Refrain.
        var outcome: String?
        /// nil: no complete answer came.
        var status: Int?
        /// What went wrong without an answer.
        var failure: String?
        /// Nanoseconds from the start of the call to its end.
        var latency: Int64

        var isError: Bool { failure != nil || (status ?? 0) >= 400 }
    }

    private(set) var calls: [Call] = []
    /// Nanoseconds from the first start to the last end.
    var elapsed: Int64 = 0

    mutating func add(_ call: Call) { calls.append(call) }

    /// Words of answers that cost no call of the model.
    private static let saved = ["hit", "hit-semantic", "stale", "coalesced"]

    var errors: Int { calls.count(where: \.isError) }
    var savedCount: Int { calls.count { ReplayReport.saved.contains($0.outcome ?? "") && !$0.isError } }
    var hitRate: Double { calls.isEmpty ? 0 : Double(savedCount) / Double(calls.count) }

    /// Outcomes in the order of the contract, others after them.
    var outcomes: [(word: String, count: Int)] {
        let counts = Dictionary(grouping: calls) { $0.isError ? "error" : $0.outcome ?? "not cached" }.mapValues(
            \.count)
        let order = ReplayReport.saved + ["miss", "bypass"]
        return counts.sorted { a, b in
            let places = [a, b].map { order.firstIndex(of: $0.key) ?? order.count }
            return places[0] == places[1] ? a.key < b.key : places[0] < places[1]
        }.map { ($0.key, $0.value) }
    }

    /// Nearest-rank percentile of the latencies of answers with one of these outcomes, in milliseconds.
    func latency(_ percentile: Double, _ isIncluded: (String?) -> Bool) -> Double? {
        let values = calls.filter { !$0.isError && isIncluded($0.outcome) }.map(\.latency).sorted()
        guard !values.isEmpty else { return nil }
        let rank = Int((percentile / 100 * Double(values.count)).rounded(.up))
        return Double(values[max(0, min(values.count, rank) - 1)]) / 1e6
    }

    private func isSaved(_ outcome: String?) -> Bool { ReplayReport.saved.contains(outcome ?? "") }

    var table: String {
        func row(_ name: String, _ value: String) -> String {
            "  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + value + "\n"
        }
        var text = "\nreplayed \(calls.count) requests in \(ReplayReport.rounded(Double(elapsed) / 1e9)) s\n"
        for outcome in outcomes { text += row(outcome.word, "\(outcome.count)") }
        text += row("hit rate", ReplayReport.rounded(hitRate * 100) + " %")
        for (name, isSavedWanted) in [("hit", true), ("miss", false)] {
            let values = [50.0, 95.0].map { latency($0) { isSaved($0) == isSavedWanted } }
            guard let p50 = values[0], let p95 = values[1] else { continue }
            text += row(name + " latency", "p50 \(ReplayReport.rounded(p50)) ms, p95 \(ReplayReport.rounded(p95)) ms")
        }
        text += row("errors", "\(errors)")
        for failure in Set(calls.compactMap(\.failure)).sorted().prefix(5) { text += row("", failure) }
        return text
    }

    var json: JSONValue {
        var counts = JSONObject()
        for outcome in outcomes { counts[outcome.word] = .number(outcome.count) }
        func latencies(_ isSavedWanted: Bool) -> JSONValue {
            func value(_ percentile: Double) -> JSONValue {
                latency(percentile) { isSaved($0) == isSavedWanted }.map { .number($0) } ?? .null
            }
            return .object(["p50_ms": value(50), "p95_ms": value(95)])
        }
        return .object([
            "requests": .number(calls.count), "seconds": .number(Double(elapsed) / 1e9), "outcomes": .object(counts),
            "hit_rate": .number(hitRate), "hit_latency": latencies(true), "miss_latency": latencies(false),
            "errors": .number(errors),
        ])
    }

    /// Three figures where there are that many before the point, else two places after it.
    static func rounded(_ value: Double) -> String {
        guard value < 100 else { return String(Int(value.rounded())) }
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
