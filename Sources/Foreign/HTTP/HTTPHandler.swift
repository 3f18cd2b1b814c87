import Core

/// What an `HTTPServer` asks of the program. All calls come on the loop's thread.
package protocol HTTPHandler: AnyObject {
    /// The head is there, the body is not: how is the body to be taken? An answer given already here ends the
    /// request, and if a body was to come the connection too.
    func began(_ exchange: HTTPExchange) -> BodyPlan

    /// The request can be answered: now, or later with the exchange kept. A collected body is complete, a streamed
    /// one can be read from `exchange.upload`. Not called for a request that `began` answered.
    func received(_ exchange: HTTPExchange)

    /// The JSON body of an answer to a request that the server refuses by itself; the connection closes after it.
    func refusal(of exchange: HTTPExchange, _ reason: HTTPRefusal) -> Bytes

    /// A line for people from the HTTP library, mostly about a client that broke the protocol.
    func logged(_ message: String)

    /// Whether `logged` is of use; composing the line costs time that a hostile client could spend.
    var wantsLog: Bool { get }
}

/// How the body of a request is to be taken.
package enum BodyPlan: Sendable {
    /// In one run of memory; a longer one than `limit` bytes is answered with 413.
    case collect(limit: Int)
    /// As it arrives, through `HTTPExchange.upload`.
    case stream
}

/// Why a server refuses a request before the program sees it. The raw value is the word in the answer.
package enum HTTPRefusal: String, Sendable, CaseIterable {
    case malformedHead = "malformed-head"
    case malformedTarget = "malformed-target"
    case headTooLarge = "head-too-large"
    case missingHost = "missing-host"
    case duplicateHost = "duplicate-host"
    case duplicateContentLength = "duplicate-content-length"
    case invalidContentLength = "invalid-content-length"
    case lengthAndEncoding = "content-length-with-transfer-encoding"
    case unknownTransferEncoding = "unknown-transfer-encoding"
    case unknownExpectation = "unknown-expectation"
    case methodNotAllowed = "method-not-allowed"
    case bodyTooLarge = "body-too-large"
    case bodyMemory = "request-memory"

    package var status: Int {
        switch self {
        case .headTooLarge: 431
        case .unknownTransferEncoding: 501
        case .unknownExpectation: 417
        case .methodNotAllowed: 405
        case .bodyTooLarge: 413
        case .bodyMemory: 503
        default: 400
        }
    }

    /// One sentence for the person behind the client.
    package var message: String {
        switch self {
        case .malformedHead: "The request line or a header line is not well formed."
        case .malformedTarget: "The request target must be a path or an http URL."
        case .headTooLarge: "The request line and header lines are too long or too many."
        case .missingHost: "An HTTP/1.1 request needs a Host header."
        case .duplicateHost: "A request may carry one Host header only."
        case .duplicateContentLength: "A request may carry one Content-Length header only."
        case .invalidContentLength: "Content-Length must be a decimal number of bytes."
        case .lengthAndEncoding: "Content-Length and Transfer-Encoding exclude each other."
        case .unknownTransferEncoding: "The only Transfer-Encoding supported is chunked."
        case .unknownExpectation: "The only expectation supported is 100-continue."
        case .methodNotAllowed: "This method is not served here."
        case .bodyTooLarge: "The request body is larger than this server accepts."
        case .bodyMemory: "The request bodies under way take all the memory there is for them; try again."
        }
    }
}
