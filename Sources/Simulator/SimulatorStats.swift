import Core
import Dialects
import Foreign

/// What the simulated model was asked, for tests that count calls.
struct SimulatorStats {
    private var calls: [Int] = Array(repeating: 0, count: Dialect.allCases.count)
    private(set) var inFlight = 0
    private var mostInFlight = 0
    private var lastCall = JSONValue.null

    mutating func count(_ dialect: Dialect, _ call: JSONValue) {
        calls[Int(dialect.rawValue)] += 1
        lastCall = call
    }

    mutating func begin() {
        inFlight += 1
        mostInFlight = max(mostInFlight, inFlight)
    }

    mutating func end() { inFlight -= 1 }

    /// Counts start again; what is in flight stays.
    mutating func reset() {
        calls = calls.map { _ in 0 }
        mostInFlight = inFlight
        lastCall = .null
    }

    func document(_ options: SimulatorOptions) -> JSONValue {
        var counts = JSONObject()
        for dialect in Dialect.allCases { counts[dialect.word] = .number(calls[Int(dialect.rawValue)]) }
        return .object([
            "simulated": .bool(true), "calls": .number(calls.reduce(0, +)), "endpoints": .object(counts),
            "in_flight": .number(inFlight), "most_in_flight": .number(mostInFlight), "last_call": lastCall,
            "first_token_ms": .number(Int(options.firstToken.milliseconds)),
            "tokens_per_second": .number(options.tokensPerSecond), "tokens": .number(options.tokens),
        ])
    }

    /// A request as it arrived; credentials are left out.
    static func describe(_ exchange: HTTPExchange, _ target: String) -> JSONValue {
        let headers = exchange.headers.map { line in
            let isSecret = line.isNamed("authorization") || line.isNamed("x-api-key") || line.isNamed("cookie")
            let value = isSecret ? "***" : String(decoding: line.value, as: UTF8.self)
            return JSONValue.array([.string(String(decoding: line.name, as: UTF8.self)), .string(value)])
        }
        return .object([
            "method": .string(String(decoding: exchange.methodName, as: UTF8.self)), "target": .string(target),
            "headers": .array(headers), "body": .string(String(decoding: exchange.body.prefix(4096), as: UTF8.self)),
        ])
    }
}
