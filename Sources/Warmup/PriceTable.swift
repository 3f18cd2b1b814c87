import Core
import Dialects

/// What models cost, in US dollars a token.
package struct PriceTable: Sendable, Equatable {
    package struct Price: Sendable, Equatable {
        package var prompt: Double
        package var answer: Double

        package init(prompt: Double, answer: Double) {
            self.prompt = prompt
            self.answer = answer
        }

        package func cost(prompt promptTokens: Int, answer answerTokens: Int) -> Double {
            Double(promptTokens) * prompt + Double(answerTokens) * answer
        }
    }

    package enum Failure: Error, Equatable {
        case notJSON
        /// No model in it has `input_cost_per_token`.
        case noPrices
    }

    private var prices: [String: Price] = [:]

    package var isEmpty: Bool { prices.isEmpty }

    package init() {}

    /// Reads the shape in which LiteLLM publishes prices: an object with a member for each model, whose
    /// `input_cost_per_token` and `output_cost_per_token` are dollars; a model without the first is left out.
    package init(json: UnsafeRawBufferPointer) throws(Failure) {
        let document: JSONValue
        do throws(JSONFault) {
            document = try JSONValue.parse(json)
        } catch {
            throw .notJSON
        }
        for member in document.object?.members ?? [] {
            guard let prompt = PriceTable.dollars(member.value["input_cost_per_token"]) else { continue }
            let answer = PriceTable.dollars(member.value["output_cost_per_token"]) ?? 0
            prices[member.name] = Price(prompt: prompt, answer: answer)
        }
        if prices.isEmpty { throw .noPrices }
    }

    /// The price of a model; a name with a provider before it (`openai/gpt-4o`) is also found without, and a dated one
    /// (`gpt-4o-2024-08-06`) by the longest name that it begins with.
    package func price(of model: String) -> Price? {
        if let price = prices[model] { return price }
        if let slash = model.lastIndex(of: "/") { return price(of: String(model[model.index(after: slash)...])) }
        let candidates = prices.keys.filter { model.hasPrefix($0 + "-") || model.hasPrefix($0 + "@") }
        return candidates.max { $0.utf8.count < $1.utf8.count }.flatMap { prices[$0] }
    }

    private static func dollars(_ value: JSONValue?) -> Double? {
        guard case .number(let spelling) = value, let dollars = Double(spelling), dollars.isFinite, dollars >= 0 else {
            return nil
        }
        return dollars
    }
}
