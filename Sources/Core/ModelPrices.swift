/// What one token costs. A dollar for a million tokens is a million picodollars for one, so list prices are whole numbers.
package struct TokenPrice: Sendable, Hashable, CustomStringConvertible {
    /// Millionths of a millionth of a US dollar.
    package let picodollars: UInt64

    package static let zero = TokenPrice(picodollars: 0)

    private init(picodollars: UInt64) { self.picodollars = picodollars }

    /// Reads US dollars for a million tokens, such as `0.15`: at most a million, to six digits behind the point.
    package init?(dollarsPerMillion text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, (1...7).contains(whole.count),
            parts.count == 1 || (1...6).contains(parts[1].count)
        else { return nil }
        var value: UInt64 = 0
        for digit in parts.joined() {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + UInt64(digit - 48)
        }
        for _ in 0..<(6 - (parts.count == 2 ? parts[1].count : 0)) { value *= 10 }
        guard value <= 1_000_000_000_000 else { return nil }
        picodollars = value
    }

    /// US dollars for one token, at most one; rounded to a picodollar.
    package init?(dollars: Double) {
        guard (0...1).contains(dollars) else { return nil }
        picodollars = UInt64((dollars * 1e12).rounded())
    }

    /// US dollars for a million tokens, as it is read.
    package var description: String {
        let (whole, rest) = picodollars.quotientAndRemainder(dividingBy: 1_000_000)
        guard rest > 0 else { return String(whole) }
        var digits = String(rest)
        digits = String(repeating: "0", count: 6 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}

/// What the tokens of one model cost.
package struct ModelPrice: Sendable, Hashable {
    package var model: String
    package var input: TokenPrice
    package var output: TokenPrice

    package init(model: String, input: TokenPrice, output: TokenPrice) {
        self.model = model
        self.input = input
        self.output = output
    }

    /// US dollars.
    package func cost(prompt promptTokens: Int, answer answerTokens: Int) -> Double {
        (Double(promptTokens) * Double(input.picodollars) + Double(answerTokens) * Double(output.picodollars)) / 1e12
    }
}

/// The prices of models by name.
package struct ModelPrices: Sendable {
    private let prices: [String: ModelPrice]

    /// `own` stand over those that are built in.
    package init(own: [ModelPrice]) {
        prices = Dictionary((ModelPrices.listed + own).map { ($0.model, $0) }) { $1 }
    }

    /// nil where the model has no known price.
    ///
    /// A name with a provider before it (`openai/gpt-4o`) is also found without, and a dated version
    /// (`gpt-4o-2024-08-06`, `claude-3-5-sonnet-latest`) by the longest name that it begins with.
    package subscript(model: String) -> ModelPrice? {
        var name = model[...]
        while true {
            if let price = prices[String(name)] ?? undated(name).flatMap({ prices[$0] }) { return price }
            guard let slash = name.firstIndex(of: "/") else { return nil }
            name = name[name.index(after: slash)...]
        }
    }

    /// The name without a version at its end, nil where it has none.
    private func undated(_ name: Substring) -> String? {
        if name.hasSuffix("-latest") { return String(name.dropLast(7)) }
        // yyyy-mm-dd or yyyymmdd: fewer digits are part of the name, as in gpt-4.
        for count in [10, 8] where name.utf8.count > count + 1 {
            let base = name.dropLast(count)
            let isDate = name.suffix(count).utf8.count(where: { (48...57).contains($0) }) == 8
            if isDate, base.hasSuffix("-") || base.hasSuffix("@") { return String(base.dropLast()) }
        }
        return nil
    }
}

extension ModelPrices {
    /// List prices for standard use as known in March 2026, not all of them checked at the provider: US dollars for a
    /// million tokens of prompts and of answers. Reductions for batches and for providers' own caches are not known to
    /// Refrain.
    static let listed: [ModelPrice] = [
        ("gpt-5.4", "2.5", "15"), ("gpt-5.1", "1.25", "10"), ("gpt-5", "1.25", "10"), ("gpt-5-mini", "0.25", "2"),
        ("gpt-5-nano", "0.05", "0.4"), ("gpt-5-pro", "15", "120"), ("gpt-4.1", "2", "8"),
        ("gpt-4.1-mini", "0.4", "1.6"),
        ("gpt-4.1-nano", "0.1", "0.4"), ("gpt-4o", "2.5", "10"), ("gpt-4o-mini", "0.15", "0.6"), ("o3", "2", "8"),
        ("o3-mini", "1.1", "4.4"), ("o4-mini", "1.1", "4.4"), ("text-embedding-3-small", "0.02", "0"),
        ("text-embedding-3-large", "0.13", "0"), ("claude-opus-4", "15", "75"), ("claude-sonnet-4", "3", "15"),
        ("claude-haiku-4-5", "1", "5"), ("claude-3-5-haiku", "0.8", "4"), ("claude-3-haiku", "0.25", "1.25"),
    ].compactMap { model, input, output in
        guard let input = TokenPrice(dollarsPerMillion: input), let output = TokenPrice(dollarsPerMillion: output)
        else {
            return nil
        }
        return ModelPrice(model: model, input: input, output: output)
    }
}
