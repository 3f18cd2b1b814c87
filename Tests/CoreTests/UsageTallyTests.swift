import Core
import Testing

@Suite struct UsageTallyTests {
    private let prices = ModelPrices(own: [
        // Both spellings are prices, as the test of prices shows.
        ModelPrice(
            model: "m", input: TokenPrice(dollarsPerMillion: "2")!, output: TokenPrice(dollarsPerMillion: "10")!)
    ])

    private func count(
        _ tally: inout UsageTally, _ outcome: Outcome.Kind, key: UInt64 = 1, tenant: UInt64 = 1, model: String = "m",
        namespace: String = "", saved: UsageTally.Tokens? = nil
    ) -> UInt64 {
        var (model, namespace) = (model, namespace)
        return model.withUTF8 { model in
            namespace.withUTF8 { namespace in
                tally.count(
                    outcome, key: CacheKey(key, 0, 0, 0), tenant: CacheKey(tenant, 0, 0, 0),
                    model: UnsafeRawBufferPointer(model), namespace: UnsafeRawBufferPointer(namespace), saved: saved)
            }
        }
    }

    @Test func costsAreThoseOfTheModel() {
        var tally = UsageTally(prices: prices)
        #expect(count(&tally, .hit, saved: (100, 10)) == 100 * 2_000_000 + 10 * 10_000_000)
        #expect(count(&tally, .hit, saved: (-1, 10)) == 100_000_000)
        #expect(count(&tally, .miss) == 0)
        #expect(count(&tally, .hit, model: "unknown", saved: (100, 10)) == 0)
        #expect(count(&tally, .hit, saved: (.max, .max)) > 0)
    }

    @Test func workersAreAddedUp() throws {
        var tallies = [UsageTally(prices: prices), UsageTally(prices: prices)]
        for (index, outcome) in [Outcome.Kind.hit, .miss, .coalesced, .stale, .semantic, .hit].enumerated() {
            _ = count(&tallies[index % 2], outcome, key: UInt64(index / 4), saved: outcome == .miss ? nil : (3, 4))
        }
        let report = UsageReport(tallies)
        let model = try #require(report.models.first)
        #expect(report.models.count == 1 && model.name == "m")
        #expect([model.hits, model.semantic, model.stale, model.coalesced, model.misses] == [2, 1, 1, 1, 1])
        #expect(model.requests == 6 && model.promptTokens == 15 && model.completionTokens == 20)
        #expect(report.tenants.map(\.name) == ["0000000000000001"])
        #expect(report.keys.map(\.requests) == [4, 2] && report.keys.map(\.saved) == [3, 2])
    }

    @Test func namesBeyondTheRoomAreCountedTogether() {
        var tallies = [UsageTally(prices: prices), UsageTally(prices: prices)]
        for number in 0..<300 { _ = count(&tallies[number % 2], .miss, model: "model-\(number)") }
        let report = UsageReport(tallies)
        #expect(report.models.count == UsageTally.nameCount + 1)
        #expect(report.models.last?.name == UsageReport.rest)
        #expect(report.models.reduce(0) { $0 + $1.requests } == 300)
    }

    @Test func longNamesAreCut() {
        var tally = UsageTally(prices: prices)
        _ = count(&tally, .miss, model: String(repeating: "x", count: 5_000))
        #expect(UsageReport([tally]).models.first?.name.utf8.count == 256)
    }
}

@Suite struct ModelPricesTests {
    @Test(arguments: [
        ("0", 0), ("2.5", 2_500_000), ("0.075", 75_000), ("10", 10_000_000), ("0.000001", 1),
        ("1000000", 1_000_000_000_000),
    ])
    func readsAndPrintsPrices(text: String, picodollars: UInt64) {
        let price = TokenPrice(dollarsPerMillion: text)
        #expect(price?.picodollars == picodollars && price?.description == text)
    }

    @Test(arguments: ["", ".", "1.", ".5", "-1", "1e3", "1,5", "0.0000001", "1000000.1", "10000000", "1.2.3", "٣"])
    func otherTextsAreNone(text: String) { #expect(TokenPrice(dollarsPerMillion: text) == nil) }

    @Test(arguments: [
        ("gpt-4o", "gpt-4o"), ("gpt-4o-2024-08-06", "gpt-4o"), ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("a/b/claude-sonnet-4-20250514", "claude-sonnet-4"), ("claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"), ("gpt-4", nil), ("gpt-4o-audio", nil), ("", nil), ("/", nil),
        ("-20250514", nil), ("ft:gpt-4o:me", nil),
    ])
    func findsModelsByTheirNames(name: String, model: String?) {
        #expect(ModelPrices(own: [])[name]?.model == model)
    }

    @Test func ownPricesStandOverThoseBuiltIn() throws {
        let price = try #require(TokenPrice(dollarsPerMillion: "7"))
        let own = ModelPrices(own: [ModelPrice(model: "gpt-4o", input: price, output: .zero)])
        #expect(own["gpt-4o-2024-08-06"]?.input == price && own["gpt-4o-2024-08-06"]?.output == .zero)
        #expect(own["gpt-4o-mini"] != nil)
    }
}
