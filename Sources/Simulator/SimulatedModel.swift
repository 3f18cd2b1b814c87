import Core
import Dialects
import Foreign

/// The HTTP side of the simulated model. Belongs to its loop's thread.
///
/// Besides the model's own paths it serves `GET /sim/stats`, `POST /sim/reset`, `POST /sim/set` and, for whatever
/// method, `/sim/echo`, which answers what it was asked.
final class SimulatedModel: HTTPHandler {
    private let loop: EventLoop
    private let clock: any Clock
    private(set) var options: SimulatorOptions
    private var stats = SimulatorStats()
    private var dice: Dice
    private var serial = 0

    static let serverName = "refrain-sim (simulated model)"
    private static let bodyLimit = 64 << 20

    init(loop: EventLoop, clock: any Clock, options: SimulatorOptions) {
        self.loop = loop
        self.clock = clock
        self.options = options
        dice = Dice(seed: options.seed)
    }

    // MARK: HTTPHandler

    let wantsLog = false
    func logged(_ message: String) {}
    func began(_ exchange: HTTPExchange) -> BodyPlan { .collect(limit: SimulatedModel.bodyLimit) }

    func refusal(of exchange: HTTPExchange, _ reason: HTTPRefusal) -> Bytes {
        Bytes(ErrorAnswer(reason.status, reason.message).body(for: nil).serialised)
    }

    func received(_ exchange: HTTPExchange) {
        let target = String(decoding: exchange.target, as: UTF8.self)
        let path = String(target.prefix { $0 != "?" })
        if let dialect = Dialect(path: path), exchange.method == .post {
            answer(exchange, dialect, target)
            return
        }
        switch (exchange.method, path) {
        case (.get, "/v1/models"), (.get, "/models"): send(exchange, 200, .object(SimulatedModel.models))
        case (.get, "/sim/stats"): send(exchange, 200, stats.document(options))
        case (.post, "/sim/reset"):
            stats.reset()
            dice = Dice(seed: options.seed)
            send(exchange, 200, stats.document(options))
        case (.post, "/sim/set"): change(exchange)
        case (_, "/sim/echo"): send(exchange, 200, SimulatorStats.describe(exchange, target))
        default: send(exchange, ErrorAnswer(404, "the simulated model has no \(path)"), nil)
        }
    }

    private static let models: JSONObject = [
        "object": .string("list"),
        "data": .array(
            ["simulated-chat", "simulated-reasoner", "simulated-embedding"].map { name in
                .object([
                    "id": .string(name), "object": .string("model"), "created": .number(0),
                    "owned_by": .string("refrain-sim"),
                ])
            }),
    ]

    private func change(_ exchange: HTTPExchange) {
        do {
            guard let object = try JSONValue.parse(exchange.body).object else {
                throw SimulatorOptions.Invalid(message: "the body is not a JSON object")
            }
            var changed = options
            try changed.change(object)
            options = changed
            send(exchange, 200, stats.document(options))
        } catch let error as SimulatorOptions.Invalid {
            send(exchange, ErrorAnswer(400, error.message), nil)
        } catch {
            send(exchange, ErrorAnswer(400, "the body is not valid JSON"), nil)
        }
    }

    // MARK: Calls of the model

    private func answer(_ exchange: HTTPExchange, _ dialect: Dialect, _ target: String) {
        stats.count(dialect, SimulatorStats.describe(exchange, target))
        guard options.concurrency == 0 || stats.inFlight < options.concurrency else {
            send(exchange, ErrorAnswer(429, "busy: too many calls at once", retryAfter: 1), dialect)
            return
        }
        serial += 1
        let request: SimulatedRequest
        do {
            let id = String(serial, radix: 36) + "-" + String(dice.next() >> 16, radix: 36)
            request = try SimulatedRequest(dialect, exchange.body, id: id, created: clock.wall() / 1000)
        } catch {
            send(exchange, ErrorAnswer(400, error.message), dialect)
            return
        }
        let header = exchange.header(named: "x-sim-fail").map { String(decoding: $0, as: UTF8.self) }
        let told = header ?? Fault.text(inPrompt: request.prompt)
        var fault = told.flatMap { Fault($0) }
        if let told, fault == nil {
            send(exchange, ErrorAnswer(400, "x-sim-fail '\(told)' is none of \(Fault.wordList)"), dialect)
            return
        }
        if fault == nil, dice.fraction() < options.failRate { fault = .status(options.failStatus, retryAfter: nil) }
        switch fault {
        case .status(let status, let retryAfter):
            send(exchange, ErrorAnswer(status, "a simulated failure", retryAfter: retryAfter), dialect)
        case .reset: exchange.abort()
        case .hang: hang(exchange)
        default: deliver(exchange, SimulatedAnswer(request, length: options.tokens), request, fault)
        }
    }

    private func hang(_ exchange: HTTPExchange) {
        stats.begin()
        exchange.whenClientLeaves { [self] in stats.end() }
    }

    private func deliver(
        _ exchange: HTTPExchange, _ answer: SimulatedAnswer, _ request: SimulatedRequest, _ fault: Fault?
    ) {
        let plan = DeliveryPlan(answer, request, fault, options, firstToken: firstToken())
        stats.begin()
        let delivery = Delivery(exchange, loop: loop, clock: clock, pieces: plan.pieces, last: plan.last) { [self] in
            stats.end()
        }
        var headers = [
            HeaderField("Content-Type", request.wantsStream ? "text/event-stream; charset=utf-8" : "application/json"),
            HeaderField("Server", SimulatedModel.serverName), HeaderField("x-request-id", "sim-" + request.id),
        ]
        if fault == .gzip { headers.append(HeaderField("Content-Encoding", "gzip")) }
        exchange.respondStreaming(200, headers: headers, length: plan.length, source: delivery)
    }

    private func firstToken() -> Int64 {
        let base = Double(options.firstToken.nanoseconds)
        return Int64(base * (1 + options.jitter * dice.fraction()))
    }

    private func send(_ exchange: HTTPExchange, _ error: ErrorAnswer, _ dialect: Dialect?) {
        send(exchange, error.status, error.body(for: dialect), error.headers)
    }

    private func send(_ exchange: HTTPExchange, _ status: Int, _ body: JSONValue, _ headers: [HeaderField] = []) {
        let lines = [
            HeaderField("Content-Type", "application/json"), HeaderField("Server", SimulatedModel.serverName),
        ]
        exchange.respond(status, headers: lines + headers, body: Bytes(body.serialised))
    }
}

/// An error in the shape of the dialect it answers.
struct ErrorAnswer {
    let status: Int
    let message: String
    let retryAfter: Int?

    init(_ status: Int, _ message: String, retryAfter: Int? = nil) {
        (self.status, self.message, self.retryAfter) = (status, message, retryAfter)
    }

    var headers: [HeaderField] { retryAfter.map { [HeaderField("Retry-After", String($0))] } ?? [] }

    private var type: String {
        switch status {
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    func body(for dialect: Dialect?) -> JSONValue {
        var error: JSONObject = ["message": .string("Simulated model: " + message), "type": .string(type)]
        guard dialect?.isAnthropic != true else {
            return .object(["type": .string("error"), "error": .object(error)])
        }
        error["param"] = .null
        error["code"] = .null
        return .object(["error": .object(error)])
    }
}
