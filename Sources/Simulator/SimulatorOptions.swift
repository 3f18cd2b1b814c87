import Core
import Dialects

/// How the simulated model behaves; all but the address can be changed while it runs.
struct SimulatorOptions {
    var listen = NetworkAddress(host: "127.0.0.1", port: 8500)
    var firstToken = Duration.milliseconds(300)
    /// Zero: all at once.
    var tokensPerSecond = 50.0
    var tokens = 80
    /// Share of calls that fail, 0 to 1.
    var failRate = 0.0
    var failStatus = 503
    /// Sends comments or blank lines before the answer, as an overloaded server does.
    var isBusy = false
    /// Up to this share of `firstToken` is added to it by chance.
    var jitter = 0.0
    var seed: UInt64 = 1
    /// Calls at once before 429; zero: no limit.
    var concurrency = 0

    struct Invalid: Error { let message: String }

    /// Names of the options without their hyphens, and what each does.
    static let reference: KeyValuePairs<String, String> = [
        "listen": "HOST:PORT to listen on (127.0.0.1:8500)",
        "first-token": "time to the first token, such as 300ms (300ms)",
        "tokens-per-second": "speed after it; 0: all at once (50)",
        "tokens": "length of an answer (80)",
        "fail-rate": "share of calls that fail, 0 to 1 (0)",
        "fail-status": "the status they fail with (503)",
        "busy": "send keep-alive comments or blank lines before the answer",
        "jitter": "share of the first token's time added by chance, 0 to 1 (0)",
        "seed": "of that chance (1)",
        "concurrency": "calls at once before 429 answers; 0: no limit (0)",
    ]

    mutating func set(_ name: String, _ text: String) throws(Invalid) {
        func refuse(_ what: String) -> Invalid { Invalid(message: "\(name): '\(text)' is not \(what)") }
        func number(_ range: ClosedRange<Double>) throws(Invalid) -> Double {
            guard let value = Double(text), range.contains(value) else {
                throw refuse("a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        func integer(_ range: ClosedRange<Int>) throws(Invalid) -> Int {
            guard let value = Int(text), range.contains(value) else {
                throw refuse("a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        switch name {
        case "listen":
            guard let address = NetworkAddress(text) else { throw refuse("HOST:PORT") }
            listen = address
        case "first-token":
            guard let time = text == "0" ? .zero : DurationFormat.parse(text), time <= .seconds(3600) else {
                throw refuse("a duration such as 300ms, up to 1h")
            }
            firstToken = time
        case "tokens-per-second": tokensPerSecond = try number(0...1_000_000)
        case "tokens": tokens = try integer(1...100_000)
        case "fail-rate": failRate = try number(0...1)
        case "fail-status": failStatus = try integer(400...599)
        case "busy":
            guard let value = Bool(text) else { throw refuse("true or false") }
            isBusy = value
        case "jitter": jitter = try number(0...1)
        case "seed":
            guard let value = UInt64(text) else { throw refuse("a whole number") }
            seed = value
        case "concurrency": concurrency = try integer(0...1_000_000)
        default: throw Invalid(message: "there is no option '\(name)'")
        }
    }

    /// Changes options of a running model by a JSON object of names and values.
    mutating func change(_ object: JSONObject) throws(Invalid) {
        for member in object.members {
            let text: String =
                switch member.value {
                case .string(let text): text
                case .number(let spelling): spelling
                case .bool(let flag): String(flag)
                default: throw Invalid(message: "\(member.name): a text, a number or a truth value is needed")
                }
            guard member.name != "listen", member.name != "seed" else {
                throw Invalid(message: "\(member.name) cannot be changed at run time")
            }
            try set(member.name, text)
        }
    }

    /// Nanoseconds after the first token at which token number `tokens` is there.
    func time(ofToken tokens: Int) -> Int64 {
        tokensPerSecond > 0 ? Int64(Double(max(0, tokens - 1)) / tokensPerSecond * 1e9) : 0
    }
}
