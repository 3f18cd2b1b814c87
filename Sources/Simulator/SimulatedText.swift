import Core

/// Text that the simulated model makes up: the same seed gives the same tokens.
struct SimulatedText: Equatable {
    /// Joined, they are the text; one is one token.
    var tokens: [String]
    /// The limit of the request came before the end.
    var isCut: Bool

    var text: String { tokens.joined() }

    private static let words = [
        "the", "answer", "model", "cache", "request", "stream", "token", "value", "each", "with", "of", "and", "a",
        "first", "then", "when", "small", "large", "table", "index", "query", "server", "client", "reply", "number",
        "result", "example", "between", "because", "however", "therefore", "which", "keeps", "sends", "reads", "finds",
        "returns", "waits", "often", "rarely", "always", "never", "again", "later", "同样", "答案", "naïve", "—",
    ]

    init(seed: UInt64, length: Int, limit: Int?) {
        var dice = Dice(seed: seed)
        let name = String(seed, radix: 16)
        var tokens = ["Simulated", " answer", " " + name.prefix(8), ":"]
        while tokens.count < length {
            let word = SimulatedText.words[Int(dice.next() % UInt64(SimulatedText.words.count))]
            tokens.append((tokens.count % 16 == 15 ? ".\n" : " ") + word)
        }
        let count = min(tokens.count, limit ?? tokens.count)
        isCut = count < tokens.count
        self.tokens = Array(tokens.prefix(count))
    }
}

extension SimulatedText {
    /// A vector of length 1.
    static func vector(seed: UInt64, dimensions: Int) -> [Float] {
        var dice = Dice(seed: seed)
        let values = (0..<dimensions).map { _ in dice.fraction() * 2 - 1 }
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { Float($0 / max(length, .leastNormalMagnitude)) }
    }
}
