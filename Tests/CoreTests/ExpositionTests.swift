import Core
import Testing

@Suite struct ExpositionTests {
    private func lines(_ registry: MetricsRegistry, of name: String) -> [Substring] {
        Exposition.text(registry).split(separator: "\n").filter {
            $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") || $0.hasPrefix("# HELP \(name) ")
                || $0.hasPrefix("# TYPE \(name) ") || $0.hasPrefix(name + "_bucket") || $0.hasPrefix(name + "_sum")
                || $0.hasPrefix(name + "_count")
        }
    }

    @Test func anUnlabelledHistogram() {
        let registry = MetricsRegistry(version: "test")
        let block = registry.makeBlock()
        for duration: Int64 in [10_000, 10_001, 3_000_000, 250_000_000_000] {
            block.countUpstream(duration: duration)
        }
        let expected = """
            # HELP refrain_upstream_duration_seconds Time from the start of a call to an upstream to its end.
            # TYPE refrain_upstream_duration_seconds histogram
            refrain_upstream_duration_seconds_bucket{le="0.00001"} 1
            refrain_upstream_duration_seconds_bucket{le="0.000025"} 2
            refrain_upstream_duration_seconds_bucket{le="0.00005"} 2
            refrain_upstream_duration_seconds_bucket{le="0.0001"} 2
            refrain_upstream_duration_seconds_bucket{le="0.00025"} 2
            refrain_upstream_duration_seconds_bucket{le="0.0005"} 2
            refrain_upstream_duration_seconds_bucket{le="0.001"} 2
            refrain_upstream_duration_seconds_bucket{le="0.0025"} 2
            refrain_upstream_duration_seconds_bucket{le="0.005"} 3
            refrain_upstream_duration_seconds_bucket{le="0.01"} 3
            refrain_upstream_duration_seconds_bucket{le="0.025"} 3
            refrain_upstream_duration_seconds_bucket{le="0.05"} 3
            refrain_upstream_duration_seconds_bucket{le="0.1"} 3
            refrain_upstream_duration_seconds_bucket{le="0.25"} 3
            refrain_upstream_duration_seconds_bucket{le="0.5"} 3
            refrain_upstream_duration_seconds_bucket{le="1"} 3
            refrain_upstream_duration_seconds_bucket{le="2.5"} 3
            refrain_upstream_duration_seconds_bucket{le="5"} 3
            refrain_upstream_duration_seconds_bucket{le="10"} 3
            refrain_upstream_duration_seconds_bucket{le="25"} 3
            refrain_upstream_duration_seconds_bucket{le="50"} 3
            refrain_upstream_duration_seconds_bucket{le="100"} 3
            refrain_upstream_duration_seconds_bucket{le="+Inf"} 4
            refrain_upstream_duration_seconds_sum 250.003020001
            refrain_upstream_duration_seconds_count 4
            """
        #expect(lines(registry, of: "refrain_upstream_duration_seconds").joined(separator: "\n") == expected)
    }

    @Test func labelledCountersAndGauges() {
        let registry = MetricsRegistry(version: "1\"2\\3\n4")
        let block = registry.makeBlock()
        block.countSaved(promptTokens: 12, completionTokens: 0)
        registry.read(.tierBytes, TierName.memory) { 1.5e9 }
        registry.read(.processCPU) { 0.25 }
        #expect(
            lines(registry, of: "refrain_saved_tokens_total").dropFirst() == [
                "# TYPE refrain_saved_tokens_total counter", "refrain_saved_tokens_total{kind=\"prompt\"} 12",
                "refrain_saved_tokens_total{kind=\"completion\"} 0",
            ])
        #expect(lines(registry, of: "refrain_tier_bytes").last == "refrain_tier_bytes{tier=\"memory\"} 1500000000")
        #expect(lines(registry, of: "process_cpu_seconds_total").last == "process_cpu_seconds_total 0.25")
        #expect(lines(registry, of: "refrain_build_info").last == #"refrain_build_info{version="1\"2\\3\n4"} 1"#)
        // Nobody reads the flights here, so nothing is claimed about them.
        #expect(lines(registry, of: "refrain_flights").isEmpty)
    }

    /// Every line is a comment or a sample whose name was typed before; no series appears twice.
    @Test func everyLineIsWellFormed() throws {
        let registry = MetricsRegistry(version: "test")
        registry.makeBlock().countRequest(.chat, .miss, status: 200, duration: 5)
        let sample = /^([a-z_]+)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? [0-9.]+$/
        var types: [String: String] = [:]
        var seen: Set<Substring> = []
        let text = Exposition.text(registry)
        #expect(text.hasSuffix("\n"))
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                #expect(types.updateValue(String(words[3]), forKey: String(words[2])) == nil)
                continue
            }
            if line.hasPrefix("# HELP ") { continue }
            let match = try #require(try sample.wholeMatch(in: line), "\(line)")
            var name = String(match.1)
            for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) && types[name] == nil {
                name.removeLast(suffix.count)
            }
            #expect(types[name] != nil, "\(line)")
            #expect(seen.insert(line.prefix { $0 != " " }).inserted, "\(line)")
        }
        #expect(types.count == 23)
    }
}
