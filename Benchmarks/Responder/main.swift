import Core
import Foreign

/// Answers every POST with the same 1.5 KB and the header lines of a memory hit: what the HTTP server costs by
/// itself. With `prepared` the answer is made once and sent many times, else anew for each request.
///
///     ResponderBench [PORT] [prepared|fresh]
final class Responder: HTTPHandler {
    private let body = Bytes([UInt8](repeating: 120, count: 1500))
    private let isPrepared: Bool
    private lazy var prepared = makeResponse()

    init(isPrepared: Bool) { self.isPrepared = isPrepared }

    func began(_ exchange: HTTPExchange) -> BodyPlan { .collect(limit: 1 << 20) }

    func received(_ exchange: HTTPExchange) { exchange.respond(200, isPrepared ? prepared : makeResponse()) }

    func refusal(of exchange: HTTPExchange, _ reason: HTTPRefusal) -> Bytes { Bytes(reason.rawValue) }

    func logged(_ message: String) {}

    var wantsLog: Bool { false }

    private func makeResponse() -> HTTPResponse {
        let response = HTTPResponse(body: body)
        response.add("Content-Type", "application/json")
        response.add("Cache-Status", "refrain; hit; detail=memory; ttl=3400; key=\"0123456789abcdef0123456789abcdef\"")
        response.add("Age", "200")
        response.add("x-refrain-cache", "hit")
        response.add("x-refrain-tier", "memory")
        response.add("x-request-id", "req_0123456789abcdef")
        response.add("openai-version", "2020-10-01")
        response.add("openai-processing-ms", "512")
        return response
    }
}

let arguments = CommandLine.arguments.dropFirst()
let responder = Responder(isPrepared: !arguments.contains("fresh"))
var options = HTTPServerOptions()
options.port = arguments.first.flatMap { UInt16($0) } ?? 8410
do {
    let loop = try EventLoop()
    let server = try HTTPServer(loop: loop, options: options, handler: responder)
    print("listening on \(server.boundPort)")
    loop.run()
} catch {
    print("ResponderBench: \(error)")
}
