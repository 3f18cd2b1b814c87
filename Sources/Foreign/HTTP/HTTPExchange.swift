import CMicrohttpd
import Core
import Glibc

/// One request and its answer. Belongs to the loop's thread and must not be touched from another.
///
/// What it lends (`target`, `headers`, `body`) is valid until the exchange ends, which is when the answer has been
/// sent or the client has gone. It may be kept longer than that: every call is then without effect.
package final class HTTPExchange {
    enum Phase {
        /// The head is on its way.
        case head
        case body
        /// The answer was written past the library; what still comes is thrown away.
        case discarding
        /// All of the request is there.
        case ready
        case ended
    }

    package enum Method: Sendable { case get, head, post, put, patch, delete, options, other }

    // What is not private here is the server's side of the exchange (HTTPExchange+Server.swift).
    let server: HTTPServer
    var connection: HTTPConnection?
    /// The library's connection, nil once the exchange has ended.
    var raw: OpaquePointer?
    var phase = Phase.head
    var table = HTTPHeaderTable()
    var targetBuffer = HTTPBuffer()
    var bodyBuffer = HTTPBuffer()
    /// Where the target stood in the library's memory.
    var targetAddress: UnsafeRawPointer?
    var methodBytes = UnsafeRawBufferPointer(start: nil, count: 0)
    var plan = BodyPlan.collect(limit: 0)
    var isSuspended = false
    var isWokenEarly = false
    var isReceived = false
    /// The client has left, or the server is stopping: what the library asks next is answered with the end.
    var isAborted = false
    var discardBudget = 0
    /// Of the body, what is charged to `HTTPServerOptions.bodyBudget`.
    var chargedBytes = 0
    var pendingStatus = 0
    var pendingResponse: HTTPResponse?
    var isResponseQueued = false
    var stream: HTTPResponseStream?
    var closeWatch: LoopEvent?
    private var leaveHandler: (() -> Void)?

    /// For whoever answers: what it wants to find again with the exchange. Dropped at the end.
    package var context: AnyObject?
    package internal(set) var method = Method.other
    package internal(set) var isHTTP10 = false
    /// The request body as it arrives, where the plan was `.stream`.
    package internal(set) var upload: HTTPUpload?

    init(server: HTTPServer) { self.server = server }

    /// The method's own letters.
    package var methodName: UnsafeRawBufferPointer { methodBytes }

    /// Path and query as the client wrote them, or `*`; of an absolute URL the part behind the authority.
    package internal(set) var target = UnsafeRawBufferPointer(start: nil, count: 0)

    package var headers: UnsafeBufferPointer<HTTPHeaderLine> { table.all }

    /// The value of the first line of that name.
    package func header(named name: StaticString) -> UnsafeRawBufferPointer? { table.value(named: name) }

    /// The length that the client declared, nil where it declared none.
    package var contentLength: Int64? { table.contentLength }

    package var hasBody: Bool { table.isChunked || (table.contentLength ?? 0) > 0 }

    /// The collected body.
    package var body: UnsafeRawBufferPointer { bodyBuffer.bytes }

    /// Whether it still can be answered.
    package var isOpen: Bool { phase != .ended && !isAborted && pendingResponse == nil && !isResponseQueued }

    /// The client's numeric address, without the port.
    package var peerAddress: String {
        guard let raw, let info = refrain_mhd_connection_info(raw, .CONNECTION_INFO_CLIENT_ADDRESS),
            let address = info.pointee.client_addr
        else { return "" }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let length =
            address.pointee.sa_family == sa_family_t(AF_INET6)
            ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        guard
            getnameinfo(address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return "" }
        return text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Answers. Once per exchange; later calls, and calls after its end, are without effect.
    package func respond(_ status: Int, _ response: HTTPResponse) {
        guard isOpen else { return }
        pendingStatus = status
        pendingResponse = response
        resumeIfSuspended()
    }

    package func respond(_ status: Int, headers: [HeaderField] = [], body: Bytes = .empty) {
        let response = HTTPResponse(body: body)
        for field in headers { response.add(field.name, field.value) }
        respond(status, response)
    }

    /// Answers with a body that is made while it is sent: in chunks, or of the given `length`, or up to the end of
    /// the connection where the client knows no chunks.
    package func respondStreaming(
        _ status: Int, headers: [HeaderField] = [], length: Int64? = nil, source: any HTTPBodySource,
        addLines: (HTTPResponse) -> Void = { _ in }
    ) {
        guard isOpen else { return source.ended(isComplete: false) }
        let stream = HTTPResponseStream(exchange: self, source: source)
        self.stream = stream
        let response = stream.makeResponse(length: length)
        for field in headers { response.add(field.name, field.value) }
        addLines(response)
        respond(status, response)
    }

    /// There is more to read from the source of a streamed answer.
    package func wake() {
        guard stream != nil, phase != .ended else { return }
        if isSuspended { resumeIfSuspended() } else { isWokenEarly = true }
    }

    /// Calls `handler` once, if the client goes before the answer has been sent; at once if it already has.
    package func whenClientLeaves(_ handler: @escaping () -> Void) {
        if isAborted { return handler() }
        leaveHandler = phase == .ended ? nil : handler
    }

    /// Ends the exchange and the connection, so that the client sees a broken message.
    package func abort() {
        guard phase != .ended, !isAborted else { return }
        isAborted = true
        connection?.cut()
        resumeIfSuspended()
    }

    func clientLeft() {
        isAborted = true
        let handler = leaveHandler
        leaveHandler = nil
        handler?()
    }

    func forgetLeaveHandler() { leaveHandler = nil }
}
