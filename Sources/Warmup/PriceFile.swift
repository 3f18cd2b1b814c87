import Core
import Dialects

/// Prices of models in a file: in the shape in which LiteLLM publishes them, or in that of the setting `prices`.
///
/// - LiteLLM's: an object with a member for each model, whose `input_cost_per_token` and `output_cost_per_token` are US
///   dollars; a model without the first is left out.
/// - The setting's, as JSON: a list of `{"model":…,"input":…,"output":…}` in US dollars for a million tokens.
package enum PriceFile {
    package enum Failure: Error, Equatable {
        case notJSON
        /// No model in it has a price that can be read.
        case noPrices
    }

    package static func read(_ json: UnsafeRawBufferPointer) throws(Failure) -> [ModelPrice] {
        let document: JSONValue
        do throws(JSONFault) {
            document = try JSONValue.parse(json)
        } catch {
            throw .notJSON
        }
        let prices: [ModelPrice]
        if let list = document.elements {
            prices = list.compactMap(listed)
        } else {
            prices = (document.object?.members ?? []).compactMap { published($0.name, $0.value) }
        }
        if prices.isEmpty { throw .noPrices }
        return prices
    }

    private static func published(_ model: String, _ value: JSONValue) -> ModelPrice? {
        guard let input = price(value["input_cost_per_token"], tokens: 1) else { return nil }
        return ModelPrice(
            model: model, input: input, output: price(value["output_cost_per_token"], tokens: 1) ?? .zero)
    }

    private static func listed(_ value: JSONValue) -> ModelPrice? {
        guard let model = value["model"]?.text, let input = price(value["input"], tokens: 1e6),
            let output = price(value["output"], tokens: 1e6)
        else { return nil }
        return ModelPrice(model: model, input: input, output: output)
    }

    private static func price(_ value: JSONValue?, tokens: Double) -> TokenPrice? {
        guard case .number(let spelling) = value, let dollars = Double(spelling) else { return nil }
        return TokenPrice(dollars: dollars / tokens)
    }
}
