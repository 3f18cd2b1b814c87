import Core
import Testing

@testable import Warmup

@Suite struct WarmPlanTests {
    /// "a" five times, "b" three times, "c" twice, to a model with no price, "d" once.
    private static let log = [("a", "m", 5), ("b", "m", 3), ("c", "free", 2), ("d", "m", 1)].map { text, model, count in
        String(repeating: chat(text, model: model) + "\n", count: count)
    }.joined()

    private func plan(
        _ prices: ModelPrices = ModelPrices(own: []), log: String = log, _ change: (inout WarmPlan.Limits) -> Void
    )
        -> WarmPlan
    {
        var limits = WarmPlan.Limits()
        change(&limits)
        return WarmPlan(counted(WarmPlanTests.log.utf8), limits: limits, prices: prices, reader: reader(log))
    }

    private func prices(_ json: String) throws -> ModelPrices {
        ModelPrices(own: try Bytes(json).withUnsafeBytes { try PriceFile.read($0) })
    }

    @Test func thePopularComeFirst() {
        let plan = plan { _ in }
        #expect(plan.prompts.map(\.count) == [5, 3, 2] && plan.prompts.map(\.model) == ["m", "m", "free"])
        #expect(plan.requests == 11 && plan.distinct == 4 && plan.isExact && plan.covered == 10)
        #expect(plan.coldHitRate == 7 / 11.0 && abs(plan.warmHitRate - 10 / 11.0) < 1e-12)
        #expect(plan.prompts[0].promptTokens == chat("a").utf8.count / 4)
        #expect(plan.cost == nil)
        #expect(self.plan { $0.top = 1 }.prompts.map(\.count) == [5])
        #expect(self.plan { $0.minCount = 1 }.prompts.map(\.count) == [5, 3, 2, 1])
    }

    @Test func budgetsLeaveOutWhatDoesNotFit() throws {
        let each = 400 + chat("a").utf8.count / 4
        let tokens = plan { $0.maxTokens = each * 2 + 1 }
        #expect(tokens.prompts.map(\.count) == [5, 3] && tokens.leftOut.overTokens == 1 && tokens.tokens == each * 2)
        let table = try prices(#"{"m":{"input_cost_per_token":0,"output_cost_per_token":0.001}}"#)
        let cost = plan(table) { $0.maxCost = 0.5 }
        #expect(cost.prompts.map(\.count) == [5] && cost.leftOut.overCost == 1 && cost.leftOut.withoutPrice == 1)
        #expect(cost.cost.map { abs($0 - 0.4) < 1e-12 } == true)
    }

    @Test func aLineThatChangedIsNotAsked() {
        let changed = WarmPlanTests.log.replacing("\"b\"", with: "\"x\"")
        let plan = plan(log: changed) { _ in }
        #expect(plan.prompts.map(\.count) == [5, 2] && plan.leftOut.unreadable == 1)
    }

    @Test func pricesAreReadInBothShapes() throws {
        for text in [
            #"{"gpt":{"input_cost_per_token":1e-6},"mini":{"input_cost_per_token":2e-7,"output_cost_per_token":3e-7},"x":{}}"#,
            #"[{"model":"gpt","input":1,"output":0},{"model":"mini","input":0.2,"output":0.3},{"model":"x","input":1}]"#,
        ] {
            let table = try prices(text)
            #expect(table["gpt"]?.cost(prompt: 1_000_000, answer: 5) == 1)
            #expect(table["openai/mini-2024-08-06"]?.input.picodollars == 200_000)
            #expect(table["mini"]?.output.picodollars == 300_000)
            #expect(table["gptx"] == nil && table["x"] == nil && table[""] == nil)
            // What the file does not name has its list price.
            #expect(table["gpt-4o-mini"] != nil)
        }
        #expect(throws: PriceFile.Failure.notJSON) { try prices("{") }
        for text in [#"{"m":{"input_cost_per_token":-1}}"#, "[]", "7", #"{"m":{"input_cost_per_token":1e300}}"#] {
            #expect(throws: PriceFile.Failure.noPrices) { try prices(text) }
        }
    }

    @Test func tokensAreEstimatedByScript() {
        #expect(Bytes("abcdefgh").withUnsafeBytes(TokenEstimate.prompt) == 2)
        #expect(Bytes("你好").withUnsafeBytes(TokenEstimate.prompt) == 2)
        #expect(Bytes.empty.withUnsafeBytes(TokenEstimate.prompt) == 1)
    }

    @Test func journalsSayWhatIsDone() {
        let plan = WarmJournal.plan(of: ["a", "bc"], digest: digest)
        #expect(plan != WarmJournal.plan(of: ["ab", "c"], digest: digest))
        let keys = [CacheKey(1, 2, 3, 4), CacheKey(5, 6, 7, 8)]
        let text = WarmJournal.head(plan) + keys.map(WarmJournal.line).joined()
        #expect(WarmJournal.read(Array(text.utf8), plan: plan) == Set(keys))
        #expect(WarmJournal.read(Array(text.utf8.dropLast(9)), plan: plan) == [keys[0]])
        #expect(WarmJournal.read(Array(text.utf8), plan: keys[0]) == nil)
        #expect(WarmJournal.isJournal([]) && WarmJournal.isJournal(Array(text.utf8)))
        #expect(!WarmJournal.isJournal(Array("precious".utf8)))
    }
}
