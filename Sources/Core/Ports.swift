// What the inside of Refrain needs from the outside. `Foreign` implements these on C libraries, `TestKit` on plain
// values; the engine knows nothing else of the world.

/// One-way functions for keys.
package protocol Digesting: Sendable {
    /// SHA-256 of the bytes.
    func sha256(_ bytes: UnsafeRawBufferPointer) -> CacheKey
    /// HMAC-SHA-256 of the bytes under the deployment's secret.
    func hmac(_ bytes: UnsafeRawBufferPointer) -> CacheKey
}

/// Where log lines go.
package protocol Log: Sendable {
    var level: LogLevel { get }
    /// `event` is a fixed word; what varies goes into `fields`.
    func write(_ level: LogLevel, _ event: String, _ fields: [LogField])
}

package enum LogLevel: Int, Sendable, CaseIterable, Comparable {
    case debug, info, warning, error
    package var word: String { ["debug", "info", "warning", "error"][rawValue] }
    package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

package struct LogField: Sendable {
    package var name: String
    package var value: String
    /// The value where it is a number, so that JSON has it as one.
    package private(set) var number: Int64?

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package init(_ name: String, _ value: some BinaryInteger) {
        self.init(name, String(value))
        number = Int64(exactly: value)
    }
}

extension Log {
    package func write(_ level: LogLevel, _ event: String, _ fields: LogField...) { write(level, event, fields) }
}

/// A model server, or several behind one choice.
package protocol Upstream: Sendable {
    /// Starts a call. `sink` hears of it on one thread, in order, ending with exactly one `finished`, which may
    /// come before `start` returns.
    func start(_ request: UpstreamRequest, sink: any UpstreamSink) -> any UpstreamCall
}

package struct UpstreamRequest: Sendable {
    package var method: String
    /// Path and query as the client wrote them.
    package var target: String
    /// Without hop-by-hop lines, `Host`, `Content-Length` and lines that are Refrain's own.
    package var headers: [HeaderField]
    package var body: Body
    /// Undo the upstream's compression, so that the answer can be read; otherwise bytes pass as they are.
    package var decodes: Bool
    /// What it asks of those who ration the upstream.
    package var demand: UpstreamDemand

    package enum Body: Sendable {
        case none
        case bytes(Bytes)
        /// Sent as it arrives; `length` where the client declared one.
        case stream(any RequestBodySource, length: Int64?)
    }

    package init(
        method: String, target: String, headers: [HeaderField], body: Body, decodes: Bool,
        demand: UpstreamDemand = UpstreamDemand()
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.decodes = decodes
        self.demand = demand
    }
}

/// A request body that is still arriving from the client.
package protocol RequestBodySource: AnyObject, Sendable {
    /// Copies what is there. `later` asks the caller to stop until `whenReady` is called.
    func read(into target: UnsafeMutableRawBufferPointer) -> BodyRead
    func whenReady(_ ready: @escaping @Sendable () -> Void)
}

package enum BodyRead: Sendable, Equatable {
    case bytes(Int)
    case later
    case end
    /// The other side gave up; the receiver must see a broken message, not a short one.
    case broken
}

package protocol UpstreamCall: Sendable {
    /// Gives up; `finished(.cancelled)` follows. After the end it does nothing. From any thread.
    func cancel()
    /// Goes on after `delivered` answered `.pause`. From any thread.
    func resume()
    /// Tells how many tokens the call took in the end, once its answer has landed. From any thread.
    func settle(tokens: Int)
    /// Somebody more urgent waits for its answer now. From any thread.
    func raise(to priority: Priority)
}

extension UpstreamCall {
    package func raise(to priority: Priority) {}
    package func settle(tokens: Int) {}
}

package protocol UpstreamSink: AnyObject, Sendable {
    /// The status line and headers of the final (not 1xx) response; at most once, before any `delivered`.
    func responded(_ head: UpstreamHead)
    /// A piece of the body; the memory is valid during the call only.
    func delivered(_ bytes: UnsafeRawBufferPointer) -> SinkDemand
    func finished(_ end: UpstreamEnd)
}

package enum SinkDemand: Sendable {
    case more
    /// Nothing of the piece was taken: deliver it again after `UpstreamCall.resume`.
    case pause
    /// The call is to end as `cancelled`.
    case stop
}

package struct UpstreamHead: Sendable {
    package var status: Int
    package var headers: [HeaderField]
    /// The name of the upstream that sent it; empty where there is no choice of them.
    package var upstream: String

    package init(status: Int, headers: [HeaderField], upstream: String = "") {
        self.status = status
        self.headers = headers
        self.upstream = upstream
    }
}

package enum UpstreamEnd: Sendable, Equatable {
    /// The message ended as its framing said it would.
    case complete
    case failed(UpstreamFailure)
}

package struct UpstreamFailure: Error, Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case connect, resolve, tls, timeout, reset, malformed, cancelled, shutdown
        case tooLarge = "too-large"
        /// The request cannot be put on the wire; nobody was asked.
        case unsendable
        /// Not asked: a limit was reached, or there was no room.
        case shed
    }
    package var kind: Kind
    /// For people: which upstream and what the library said. Without credentials.
    package var message: String
    /// Of what was shed.
    package var shed: ShedReason?
    /// After how many nanoseconds it is worth asking again, where that is known.
    package var retryAfter: Int64?

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package init(shed reason: ShedReason, retryAfter: Int64) {
        self.init(.shed, reason.message)
        shed = reason
        self.retryAfter = retryAfter
    }
}

/// Deadlines of the engine.
package protocol Scheduler: Sendable {
    /// Calls `work` once after `delay` nanoseconds, on any thread, unless cancelled first.
    func schedule(after delay: Int64, _ work: @escaping @Sendable () -> Void) -> any Scheduled
}

package protocol Scheduled: Sendable {
    /// From any thread; `work` may already be running.
    func cancel()
}
