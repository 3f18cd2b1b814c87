import Core
import Foreign
import Glibc
import Synchronization
import Testing

/// A server on a loop of its own, with a handler made of closures.
///
/// Unchecked Sendable: `server` and `handler` are touched on the loop's thread alone, to which `onLoop` hops;
/// the rest is set once in `init`.
final class HTTPTestServer: @unchecked Sendable {
    final class Handler: HTTPHandler {
        /// Answers with the request: its method and target in headers, its body as the body.
        var onBegan: (HTTPExchange) -> BodyPlan = { _ in .collect(limit: 1 << 20) }
        var onReceived: (HTTPExchange) -> Void = { HTTPTestServer.echo($0) }
        var refusals: [HTTPRefusal] = []
        /// Exchanges that a test answers later.
        var waiting: [HTTPExchange] = []
        var prepared: HTTPResponse?
        /// What a test wants to look at afterwards.
        var events: [String] = []
        var lines: [String] = []

        func began(_ exchange: HTTPExchange) -> BodyPlan { onBegan(exchange) }
        func received(_ exchange: HTTPExchange) { onReceived(exchange) }
        func refusal(of exchange: HTTPExchange, _ reason: HTTPRefusal) -> Bytes {
            refusals.append(reason)
            return Bytes(#"{"error":"\#(reason.rawValue)"}"#)
        }
        func logged(_ message: String) { lines.append(message) }
        var wantsLog: Bool { true }
    }

    let loop: EventLoop
    let port: UInt16
    let handler: Handler
    let server: HTTPServer
    private let thread: SystemThread

    init(_ configure: (inout HTTPServerOptions, Handler) -> Void = { _, _ in }) throws {
        var options = HTTPServerOptions()
        handler = Handler()
        configure(&options, handler)
        loop = try EventLoop()
        server = try HTTPServer(loop: loop, options: options, handler: handler)
        port = server.boundPort
        thread = try loop.startThread(named: "http-test")
    }

    /// Ends the server and its loop; every test does, whatever it found.
    func stop() {
        onLoop {
            $0.server.stop()
            $0.handler.waiting = []
        }
        loop.stop()
        thread.join()
    }

    /// Runs `work` on the loop's thread and waits for what it returns.
    @discardableResult
    func onLoop<Result: Sendable>(_ work: @escaping @Sendable (HTTPTestServer) -> Result) -> Result {
        let result = Signal<Result>()
        loop.execute { result.send(work(self)) }
        return result.wait()
    }

    /// Waits for a condition that the loop's thread brings about.
    func until(
        _ condition: @escaping @Sendable (HTTPTestServer) -> Bool, at location: SourceLocation = #_sourceLocation
    ) {
        for _ in 0..<20_000 {
            if onLoop(condition) { return }
            usleep(1000)
        }
        let state = onLoop {
            "\($0.server.connectionCount) connections, events \($0.handler.events), \($0.handler.lines)"
        }
        Issue.record("It did not happen; \(state)", sourceLocation: location)
    }

    func client(receiveBuffer: CInt? = nil) -> HTTPTestClient {
        HTTPTestClient(port: port, receiveBuffer: receiveBuffer)
    }

    static func echo(_ exchange: HTTPExchange) {
        exchange.respond(
            200,
            headers: [
                HeaderField("x-method", exchange.methodName.text), HeaderField("x-target", exchange.target.text),
            ], body: Bytes(copying: exchange.body))
    }
}

/// One value on its way between threads.
final class Signal<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func send(_ value: Value) { self.value.withLock { $0 = value } }

    /// Waits, checking every millisecond, so that it needs no more than a lock.
    func wait() -> Value {
        while true {
            if let value = value.withLock({ $0 }) { return value }
            usleep(1000)
        }
    }
}
