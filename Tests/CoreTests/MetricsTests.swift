import Core
import Testing

@Suite struct MetricsTests {
    @Test func labelIndicesArePositions() {
        func check<Value: MetricLabelValue>(_ type: Value.Type) {
            for (index, value) in Value.allCases.enumerated() {
                #expect(value.labelIndex == index, "\(type).\(value)")
            }
            #expect(Set(Value.allCases.map(\.labelWord)).count == Value.allCases.count)
        }
        check(Outcome.Kind.self)
        check(TierName.self)
        check(BypassReason.self)
        check(NotStored.self)
        check(Endpoint.self)
        check(LookupResult.self)
        check(UpstreamResult.self)
        check(TokenKind.self)
        check(EvictionReason.self)
        check(PurgeGroup.Kind.self)
        check(StoreResult.self)
        check(BreakerTarget.self)
        check(FillDrop.self)
        for dialect in Dialect.allCases { #expect(Endpoint(dialect).labelWord == dialect.word) }
        #expect(Endpoint(nil) == .other)
    }

    @Test func namesFollowTheConventions() {
        #expect(Set(MetricsTable.all.map(\.name)).count == MetricsTable.all.count)
        for metric in MetricsTable.all {
            #expect(metric.name.hasPrefix("refrain_") || metric.name.hasPrefix("process_"))
            #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter), "\(metric.name)")
            #expect(metric.sentence.hasSuffix("."), "\(metric.name)")
            let words = metric.labels.flatMap(\.values) + metric.labels.map(\.name)
            #expect(words.allSatisfy { $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } }, "\(metric.name)")
        }
    }

    @Test func upstreamsAreCountedByName() {
        let counts = UpstreamCounts()
        for (index, result) in UpstreamResult.allCases.enumerated() {
            for _ in 0...index { counts.counters(of: "one").count(result) }
        }
        counts.counters(of: "two").count(.serverError)
        let registry = MetricsRegistry(version: "test")
        registry.readNamed(.upstreamRequests) { counts.samples }
        let rows = registry.namedValues(of: .upstreamRequests)
        let one = rows.filter { $0.labels[0] == "one" }
        #expect(one.map { $0.labels[1] } == UpstreamResult.allCases.map(\.labelWord))
        #expect(one.map(\.value) == one.indices.map { Double($0 + 1) })
        #expect(rows.filter { $0.labels[0] == "two" && $0.value > 0 }.map { $0.labels[1] } == ["server-error"])
        #expect(
            Exposition.text(registry).contains(
                #"refrain_upstream_requests_total{upstream="two",result="server-error"} 1"#))
    }

    /// Counts every value of every label a different number of times, so that two sharing a cell would show.
    @Test func everySeriesHasACellOfItsOwn() {
        let registry = MetricsRegistry(version: "test")
        let block = registry.makeBlock()
        func repeated(_ times: Int, _ body: () -> Void) { for _ in 0..<times { body() } }
        for (row, endpoint) in Endpoint.allCases.enumerated() {
            for (column, outcome) in Outcome.Kind.allCases.enumerated() {
                repeated(row * 6 + column + 1) { block.countRequest(endpoint, outcome, status: 200, duration: 1) }
            }
        }
        for (row, tier) in TierName.allCases.enumerated() {
            for (column, result) in LookupResult.allCases.enumerated() {
                repeated(row * 3 + column + 1) { block.countLookup(tier, result) }
            }
        }
        for (index, reason) in BypassReason.allCases.enumerated() { repeated(index + 1) { block.countBypass(reason) } }
        for (index, reason) in NotStored.allCases.enumerated() { repeated(index + 1) { block.countNotStored(reason) } }
        for (index, outcome) in Outcome.Kind.allCases.enumerated() {
            repeated(index + 1) { block.countWarming(outcome) }
        }
        for (index, kind) in PurgeGroup.Kind.allCases.enumerated() { repeated(index + 1) { block.countPurge(kind) } }
        for (index, tier) in TierName.allCases.enumerated() {
            repeated(index + 1) { block.countTierDuration(tier, nanoseconds: 1) }
        }
        for (index, result) in RevalidationResult.allCases.enumerated() {
            repeated(index + 1) { block.countRevalidation(result) }
        }
        for (index, result) in FallbackResult.allCases.enumerated() {
            repeated(index + 1) { block.countFallback(result) }
        }
        block.countCoalesced()
        block.countSaved(promptTokens: 1, completionTokens: 2)
        block.countSaved(promptTokens: -1, completionTokens: 0)
        for metric: MetricName in [
            .requests, .tierLookups, .bypass, .notStored, .coalesced, .savedTokens, .purges, .revalidations, .fallbacks,
            .warmRequests,
        ] {
            let values = registry.values(of: metric)
            #expect(values.map(\.series) == Array(0..<MetricsTable[metric].seriesCount))
            #expect(values.map(\.value) == (0..<values.count).map { Double($0 + 1) }, "\(MetricsTable[metric].name)")
        }
        for (column, outcome) in Outcome.Kind.allCases.enumerated() {
            let expected = (0..<6).reduce(0) { $0 + UInt64($1 * 6 + column + 1) }
            #expect(registry.histogram(.requestDuration, series: outcome.labelIndex).count == expected)
        }
        for tier in 0..<3 { #expect(registry.histogram(.tierDuration, series: tier).count == UInt64(tier + 1)) }
    }

    @Test(arguments: [
        (200, UpstreamEnd.complete, "ok"), (304, .complete, "ok"), (404, .complete, "client-error"),
        (429, .complete, "client-error"), (500, .complete, "server-error"),
        (200, .failed(UpstreamFailure(.timeout, "")), "timeout"),
        (0, .failed(UpstreamFailure(.connect, "")), "connect"),
    ])
    func upstreamResults(status: Int, end: UpstreamEnd, word: String) {
        #expect(UpstreamResult(status: status, end: end).labelWord == word)
    }

    /// Many tasks count into few blocks at once, two of them into the same one; nothing is lost.
    @Test func concurrentCountsAddUp() async {
        let registry = MetricsRegistry(version: "test")
        let blocks = [registry.makeBlock(), registry.makeBlock()]
        let perTask = 20_000
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<perTask {
                        blocks[task % 2].countRequest(.chat, .hit, status: 200, duration: Int64(number))
                        blocks[task % 2].countSaved(promptTokens: 3, completionTokens: 1)
                    }
                }
            }
        }
        let total = Double(8 * perTask)
        #expect(registry.values(of: .requests).map(\.value).reduce(0, +) == total)
        #expect(registry.values(of: .savedTokens).map(\.value) == [3 * total, total])
        #expect(registry.histogram(.requestDuration).count == UInt64(8 * perTask))
    }

    @Test func gaugesAreReadWhenAsked() {
        let registry = MetricsRegistry(version: "test")
        #expect(registry.values(of: .entries).isEmpty)
        registry.read(.entries, TierName.objects) { 7 }
        registry.read(.entries, TierName.memory) { 5 }
        registry.read(.flights) { 2 }
        #expect(registry.values(of: .entries).map(\.series) == [0, 2])
        #expect(registry.values(of: .entries).map(\.value) == [5, 7])
        #expect(registry.values(of: .flights).map(\.value) == [2])
    }

    @Test func purgesAreCountedUnderTheWordOfTheirGroup() {
        let groups: [PurgeGroup] = [
            .everything, .older, .key(CacheKey(1, 2, 3, 4)), .model("m"), .tag("t"), .namespace("n"), .tenant(1),
        ]
        #expect(groups.map(\.kind) == PurgeGroup.Kind.allCases)
        for group in groups { #expect(group.name.prefix { $0 != ":" } == group.kind.labelWord) }
    }

    @Test func everyPairOfLabelsIsItsOwnSeries() {
        let registry = MetricsRegistry(version: "test")
        for tier in TierName.allCases {
            for result in StoreResult.allCases {
                registry.read(.tierWrites, tier, result) { Double(tier.labelIndex * 10 + result.labelIndex) }
            }
        }
        for (series, value) in registry.values(of: .tierWrites) {
            let labels = MetricsTable[.tierWrites].labelValues(of: series)
            #expect(labels[0] == TierName.allCases[Int(value) / 10].labelWord)
            #expect(labels[1] == StoreResult.allCases[Int(value) % 10].labelWord)
        }
    }
}
